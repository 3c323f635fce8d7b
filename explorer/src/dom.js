/** Elements of the page. Text always goes through text nodes, so that labels and names are never HTML. */

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * Set attributes, properties and listeners of an element.
 * @param {Element} element
 * @param {Record<string, any>} properties  `onclick` etc. are listeners; `hidden`, `value` etc. properties; others attributes.
 */
export function setProperties(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/**
 * Create an HTML element.
 * @param {string} tag  Tag name, with classes after dots: "div.card.wide".
 * @param {Record<string, any>} [properties]
 * @param {...(Node|string|null)} children  Strings become text nodes.
 * @returns {any}
 */
export function html(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  setProperties(element, properties);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * Create an SVG element.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string)} children
 * @returns {any}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG_NAMESPACE, tag);
  setProperties(element, attributes);
  element.append(...children);
  return element;
}

/**
 * Return a function that calls `work` once in the next frame, however often it is called before.
 * @param {() => void} work
 */
export function oncePerFrame(work) {
  let requested = false;
  return () => {
    if (requested) return;
    requested = true;
    requestAnimationFrame(() => {
      requested = false;
      work();
    });
  };
}

/**
 * Return a function that runs an asynchronous task with its latest arguments: one at a time, calls in between dropped.
 * Every result is shown, since a cursor that keeps moving would otherwise show none.
 * @template T
 * @param {(...args: any[]) => Promise<T>} task
 * @param {(result: T) => void} done
 * @param {(error: Error) => void} failed
 */
export function latestOnly(task, done, failed) {
  let running = false;
  let waiting = null;
  const run = async (args) => {
    running = true;
    try {
      done(await task(...args));
    } catch (error) {
      failed(/** @type {Error} */ (error));
    }
    running = false;
    if (waiting) {
      const next = waiting;
      waiting = null;
      run(next);
    }
  };
  return (...args) => {
    if (running) waiting = args;
    else run(args);
  };
}
