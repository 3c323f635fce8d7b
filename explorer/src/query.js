/** The language of the search field: words, row ids and comparisons, all of which a row must satisfy. */

import { DATE_UNIT, DAY_MILLISECONDS } from "./format.js";

const TERM = /("[^"]*"|[^\s"=<>]+)\s*(?:(<=|>=|=|<|>)\s*("[^"]*"|[^\s"]+))?/g;

const MISSING_NAME = "no label"; // finds samples without one

const COMPARISONS = {
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
  "=": (a, b) => a === b,
};

/**
 * Return the rows that a query matches, in increasing order.
 *
 * `cat` matches row ids and class names that contain it; `label=7`, `"reconstruction error">3` and `z1<0` compare. A
 * part of a column's name is enough if no other column has it: `error>3`.
 * @param {string} query
 * @param {import("./model.js").Model} model
 * @returns {number[]}
 */
export function matchingRows(query, model) {
  const terms = [...query.matchAll(TERM)].map(([, name, operator, value]) =>
    createTest(model, unquote(name), operator, value && unquote(value)),
  );
  const rows = [];
  if (!terms.length) return rows;
  for (let row = 0; row < model.nSamples; row++) if (terms.every((test) => test(row))) rows.push(row);
  return rows;
}

const unquote = (text) => text.replace(/^"(.*)"$/, "$1");

/** Return the test of one term. */
function createTest(model, name, operator, value) {
  if (!operator) return wordTest(model, name.toLowerCase());
  const { columns, dimensions } = model.scene;
  const compare = COMPARISONS[operator];
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
    if (operator !== "=") throw new Error("Row ids are texts. Compare them with =, or row numbers: row<10.");
    return (row) => model.nameOf(row) === value;
  }
  const column = findColumn(columns, name.toLowerCase());
  const values = column.values.data;
  if (column.kind !== "classes") {
    const number = parseNumber(value, column.unit);
    return (row) => compare(values[row], number);
  }
  if (operator !== "=")
    throw new Error(`${column.name} has classes. Compare it with =, and put names of several words in quotes.`);
  const code = [...column.classes, MISSING_NAME].findIndex(
    (candidate) => candidate.toLowerCase() === value.toLowerCase(),
  );
  return (row) => (values[row] < 0 ? column.classes.length : values[row]) === code;
}

/** Return the number that a text holds; for dates, "2024-05-01" as well. */
function parseNumber(text, unit = "") {
  const date = unit === DATE_UNIT ? Date.parse(text) / DAY_MILLISECONDS : NaN;
  const number = Number.isNaN(Number(text)) ? date : Number(text);
  if (Number.isNaN(number)) throw new Error(`${text} is not a ${unit === DATE_UNIT ? "date" : "number"}.`);
  return number;
}

/** Return the column of a name, or the only one whose name contains it. */
function findColumn(columns, name) {
  const candidates = columns.filter((column) => column.name.toLowerCase().includes(name));
  const column = candidates.find((candidate) => candidate.name.toLowerCase() === name) ?? candidates[0];
  if (!column) throw new Error(`There is no column or dimension named ${name}.`);
  if (candidates.length > 1 && column.name.toLowerCase() !== name) {
    throw new Error(
      `${name} may be ${candidates.map((candidate) => candidate.name).join(" or ")}. Write more of it, in quotes.`,
    );
  }
  return column;
}

/** Match row ids and class names that contain a word; a number matches a whole row id or class name. */
function wordTest(model, word) {
  const isMatch = /^\d+$/.test(word) ? (text) => text === word : (text) => text.toLowerCase().includes(word);
  const columns = model.scene.columns.filter(({ kind }) => kind === "classes");
  const codes = columns.map(({ classes }) => new Set(classes.flatMap((name, code) => (isMatch(name) ? [code] : []))));
  return (row) => isMatch(model.nameOf(row)) || columns.some(({ values }, place) => codes[place].has(values.data[row]));
}
