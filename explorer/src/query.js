/** The language of the search field: words and comparisons, joined by "and", "or" or nothing, which means "and". */

import { DATE_UNIT, DAY_MILLISECONDS } from "./format.js";

const TOKEN = /\s*(?:"([^"]*)"|'([^']*)'(?=\s|$|[<>=!])|(<=|>=|!=|==|=|<|>)|((?:(?!!=)[^\s"<>=])+))/y;
const MISSING_NAME = "no label"; // finds samples without one
const MAX_LISTED = 12; // names in a message

const COMPARISONS = {
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
  "=": (a, b) => a === b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

/**
 * Return the rows that a query matches, in increasing order.
 *
 * `cat` matches row ids and class names that contain it; `label=7`, `'reconstruction error' > 3` and `z1<0` compare. A
 * part of a column's name is enough if no other column has it: `error>3`. `and` binds more than `or`.
 * @param {string} query
 * @param {import("./model.js").Model} model
 * @returns {number[]}
 */
export function matchingRows(query, model) {
  const alternatives = parseQuery(splitTokens(query), model);
  const rows = [];
  if (!query.trim()) return rows;
  for (let row = 0; row < model.nSamples; row++)
    if (alternatives.some((tests) => tests.every((test) => test(row)))) rows.push(row);
  return rows;
}

/**
 * Split a query into words, names in quotes, operators, and the joining words "and" and "or".
 * @param {string} query
 * @returns {{text?: string, operator?: string, joint?: string}[]}
 */
function splitTokens(query) {
  const tokens = [];
  const text = query.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const found = TOKEN.exec(text);
    if (!found) throw new Error("A quotation mark is not closed.");
    const [, double, single, operator, word] = found;
    if (operator) tokens.push({ operator });
    else if (word && /^(and|or)$/i.test(word)) tokens.push({ joint: word.toLowerCase() });
    else tokens.push({ text: double ?? single ?? word });
  }
  return tokens;
}

/** Return the tests of a query: lists of which one must hold, and in a list all. */
function parseQuery(tokens, model) {
  const alternatives = [[]];
  let isComplete = false; // the last token ended a term
  for (let place = 0; place < tokens.length;) {
    const { text, joint } = tokens[place];
    if (joint) {
      if (!isComplete) throw new Error(`There is nothing before “${joint}”. Put it in quotes to search for the word.`);
      if (joint === "or") alternatives.push([]);
      isComplete = false;
      place++;
      continue;
    }
    if (text === undefined) throw new Error(`There is no name before ${tokens[place].operator}.`);
    const comparison = comparisonAt(tokens, place, model);
    alternatives.at(-1).push(comparison ? comparisonTest(model, comparison) : wordTest(model, text.toLowerCase()));
    place = comparison?.end ?? place + 1;
    isComplete = true;
  }
  if (tokens.at(-1)?.joint) throw new Error(`There is nothing after “${tokens.at(-1).joint}”.`);
  return alternatives;
}

/** Return the comparison that begins at a place, or null for a word. Names of several words need no quotes. */
function comparisonAt(tokens, place, model) {
  let last = place;
  while (tokens[last + 1]?.text !== undefined) last++;
  const operator = tokens[last + 1]?.operator;
  const name = tokens.slice(place, last + 1).map(({ text }) => text).join(" "); // prettier-ignore
  if (!operator || (last > place && !isColumnName(model, name))) return null;
  const value = tokens[last + 2]?.text;
  if (value === undefined) throw new Error(`There is no value after ${name} ${operator}.`);
  return { name, operator, value, end: last + 3 };
}

const isColumnName = (model, text) => model.scene.columns.some(({ name }) => name.toLowerCase() === text.toLowerCase());

/** Return the test of a comparison. */
function comparisonTest(model, { name, operator, value }) {
  const { columns, dimensions } = model.scene;
  const compare = COMPARISONS[operator];
  const isEquality = ["=", "==", "!="].includes(operator);
  const dim = dimensions.findIndex((dimension) => dimension.name === name);
  if (dim >= 0) {
    const number = parseNumber(value);
    return (row) => compare(model.codes[row * model.nDims + dim], number);
  }
  if (name === "row") {
    const number = parseNumber(value);
    return (row) => compare(row, number);
  }
  if (name === "id") {
    if (!isEquality) throw new Error("Row ids are texts. Compare them with =, or row numbers: row<10.");
    return (row) => compare(model.nameOf(row), value);
  }
  const column = findColumn(columns, dimensions, name);
  const values = column.values.data;
  if (column.kind !== "classes") {
    const number = parseNumber(value, column.unit);
    return (row) => compare(values[row], number);
  }
  const names = [...column.classes, MISSING_NAME];
  if (!isEquality)
    throw new Error(`${column.name} has classes. Compare it with = or !=. ${listNames("Classes", names)}`);
  const code = names.findIndex((candidate) => candidate.toLowerCase() === value.toLowerCase());
  if (code < 0)
    throw new Error(`${column.name} has no class ${value}. Put names of several words in quotes. ${listNames("Classes", names)}`); // prettier-ignore
  return (row) => compare(values[row] < 0 ? column.classes.length : values[row], code);
}

/** Return the number that a text holds; for dates, "2024", "2024-05-01" and "2024-05-01 14:30" as well. */
function parseNumber(text, unit = "") {
  const hasTime = /\d:\d/.test(text) && !text.endsWith("Z");
  const date = unit === DATE_UNIT ? Date.parse(hasTime ? `${text.replace(" ", "T")}Z` : text) / DAY_MILLISECONDS : NaN;
  const isYear = unit === DATE_UNIT && /^\d{4}$/.test(text);
  const plain = isYear ? NaN : Number(text.replace("−", "-"));
  const number = Number.isNaN(plain) ? date : plain;
  if (Number.isNaN(number)) throw new Error(`${text} is not a ${unit === DATE_UNIT ? "date" : "number"}.`);
  return number;
}

/** Return the column of a name, or the only one whose name contains it. */
function findColumn(columns, dimensions, name) {
  const sought = name.toLowerCase();
  const candidates = columns.filter((column) => column.name.toLowerCase().includes(sought));
  const column = candidates.find((candidate) => candidate.name.toLowerCase() === sought) ?? candidates[0];
  if (!column) {
    const dims = dimensions.length > 1 ? `z1 to z${dimensions.length}` : "z1";
    const hint = /[()]/.test(name) ? " Parentheses do not group terms." : "";
    throw new Error(
      `There is no column named ${name}.${hint} ${listNames("Columns", [...columns.map((one) => one.name), "row", "id", dims])}`,
    );
  }
  if (candidates.length > 1 && column.name.toLowerCase() !== sought) {
    throw new Error(`${name} may be ${candidates.map((candidate) => candidate.name).join(" or ")}. Write more of it.`);
  }
  return column;
}

/** Return a sentence that lists names, without those beyond a few. */
function listNames(title, names) {
  const rest = names.length - MAX_LISTED;
  return `${title}: ${names.slice(0, MAX_LISTED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}.`;
}

/** Match row ids and class names that contain a word; a number matches a whole row id or class name. */
function wordTest(model, word) {
  const isMatch = /^\d+$/.test(word) ? (text) => text === word : (text) => text.toLowerCase().includes(word);
  const columns = model.scene.columns.filter(({ kind }) => kind === "classes");
  const codes = columns.map(({ classes }) => new Set(classes.flatMap((name, code) => (isMatch(name) ? [code] : []))));
  return (row) => isMatch(model.nameOf(row)) || columns.some(({ values }, place) => codes[place].has(values.data[row]));
}
