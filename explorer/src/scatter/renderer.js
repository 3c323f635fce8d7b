/** Draws points with WebGL, or on a plain canvas where WebGL is missing. */

const VERTEX = `#version 300 es
in vec2 position; in vec3 color; in float state;
uniform vec2 center, scale; uniform float size, alpha, dimmed; uniform int pass;
out vec4 fill; out float diameter;
void main() {
  bool isSelected = state > 1.5;
  bool isShown = state > 0.5 && !isnan(position.x) && !isnan(position.y) && (pass == 0 ? dimmed == 0.0 || !isSelected : isSelected);
  gl_Position = isShown ? vec4((position - center) * scale, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  diameter = pass == 1 ? size * 1.25 : size;
  gl_PointSize = diameter + 1.0; // room for the smooth edge
  fill = vec4(color, pass == 1 ? min(1.0, alpha * 1.4) : dimmed > 0.0 ? alpha * dimmed : alpha);
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec4 fill; in float diameter; out vec4 pixel;
void main() {
  float radius = length(gl_PointCoord - 0.5) * (diameter + 1.0);
  float cover = clamp(0.5 * diameter - radius + 0.5, 0.0, 1.0) * fill.a;
  pixel = vec4(fill.rgb * cover, cover);
}`;
export const DIMMED_SHARE = 0.22; // opacity of samples outside a selection, relative to the others

/** States of a sample. */
export const HIDDEN = 0;
export const SHOWN = 1;
export const SELECTED = 2;

/**
 * Return the radius in pixels and the opacity of points: smaller and fainter the more there are.
 * @param {number} nSamples
 * @param {number} zoom
 */
export function pointStyle(nSamples, zoom) {
  const base = 10 - 1.7 * Math.log10(Math.max(nSamples, 10));
  const diameter = Math.min(Math.max(base, 1.4) * Math.min(zoom, 200) ** 0.3, 12);
  return { diameter, alpha: Math.min(1, 0.35 + 0.55 * Math.min(1, (3000 * zoom) / nSamples)) };
}

/**
 * Return a renderer for a canvas.
 * @param {HTMLCanvasElement} canvas
 */
export function createRenderer(canvas) {
  const gl = canvas.getContext("webgl2", { premultipliedAlpha: true, antialias: false });
  return gl ? new WebGLRenderer(canvas, gl) : new CanvasRenderer(canvas);
}

class WebGLRenderer {
  constructor(canvas, gl) {
    this.canvas = canvas;
    this.gl = gl;
    this.isHardware = true;
    this.nSamples = 0;
    /** Data on the GPU, which has to be sent again after the loss of its context. */
    this.kept = {};
    this.prepare();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.prepare();
      for (const [name, data] of Object.entries(this.kept)) this.upload(name, data);
      this.draw(this.camera);
    });
  }

  prepare() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [type, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost())
      throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.uniforms = Object.fromEntries(
      ["center", "scale", "size", "alpha", "dimmed", "pass"].map((name) => [
        name,
        gl.getUniformLocation(program, name),
      ]),
    );
    this.buffers = Object.fromEntries(
      ["position", "color", "state", "order"].map((name) => [
        name,
        { buffer: gl.createBuffer(), place: gl.getAttribLocation(program, name) },
      ]),
    );
  }

  upload(name, data) {
    const { gl } = this;
    const { buffer, place } = this.buffers[name];
    this.kept[name] = data;
    const target = name === "order" ? gl.ELEMENT_ARRAY_BUFFER : gl.ARRAY_BUFFER;
    gl.bindBuffer(target, buffer);
    gl.bufferData(target, data, gl.STATIC_DRAW);
    if (name === "order") return;
    gl.enableVertexAttribArray(place);
    if (name === "position") gl.vertexAttribPointer(place, 2, gl.FLOAT, false, 0, 0);
    if (name === "color") gl.vertexAttribPointer(place, 3, gl.UNSIGNED_BYTE, true, 0, 0);
    if (name === "state") gl.vertexAttribPointer(place, 1, gl.UNSIGNED_BYTE, false, 0, 0);
  }

  /** Set the positions, x and y in turn. */
  setPoints(points) {
    this.nSamples = points.length / 2;
    this.upload("position", points);
  }

  /** Set the colors, three bytes each, and the order in which points are drawn. */
  setColors(colors, order) {
    this.upload("color", colors);
    this.upload("order", order);
  }

  /** Set which samples are hidden, shown or selected. */
  setStates(states, hasSelection) {
    this.hasSelection = hasSelection;
    this.upload("state", states);
  }

  close() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  draw(camera) {
    const { gl, uniforms, canvas } = this;
    this.camera = camera;
    const ratio = canvas.width / camera.pixelWidth;
    const { diameter, alpha } = pointStyle(this.nSamples, camera.zoom);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(uniforms.center, camera.x, camera.y);
    gl.uniform2f(uniforms.scale, (2 * camera.scaleX) / camera.pixelWidth, (2 * camera.scaleY) / camera.pixelHeight);
    gl.uniform1f(uniforms.alpha, alpha);
    gl.uniform1f(uniforms.size, diameter * ratio);
    gl.uniform1f(uniforms.dimmed, this.hasSelection ? DIMMED_SHARE : 0);
    for (const pass of this.hasSelection ? [0, 1] : [0]) {
      gl.uniform1i(uniforms.pass, pass);
      gl.drawElements(gl.POINTS, this.nSamples, gl.UNSIGNED_INT, 0);
    }
  }
}

/** The same picture without WebGL, for fewer points. */
class CanvasRenderer {
  constructor(canvas) {
    this.canvas = canvas;
    this.isHardware = false;
    this.context = canvas.getContext("2d");
  }

  setPoints(points) {
    this.points = points;
  }

  setColors(colors, order) {
    this.colors = colors;
    this.order = order;
  }

  setStates(states, hasSelection) {
    this.states = states;
    this.hasSelection = hasSelection;
  }

  close() {}

  draw(camera) {
    const { context, canvas, points, colors, states } = this;
    if (!states) return;
    const ratio = canvas.width / camera.pixelWidth;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, camera.pixelWidth, camera.pixelHeight);
    const { diameter, alpha } = pointStyle(points.length / 2, camera.zoom);
    for (const pass of this.hasSelection ? [SHOWN, SELECTED] : [SHOWN]) {
      context.globalAlpha = this.hasSelection && pass === SHOWN ? alpha * DIMMED_SHARE : alpha;
      for (const row of this.order) {
        if (this.hasSelection ? states[row] !== pass : states[row] === HIDDEN) continue;
        const [x, y] = camera.toPixel(points[2 * row], points[2 * row + 1]);
        context.fillStyle = `rgb(${colors[3 * row]} ${colors[3 * row + 1]} ${colors[3 * row + 2]})`;
        context.beginPath();
        context.arc(x, y, diameter / 2, 0, 7);
        context.fill();
      }
    }
  }
}
