import assert from "node:assert/strict";
import { test } from "node:test";
import { drawingOrder } from "../src/colors.js";
import { selectionCsv, selectionJson, pythonLine } from "../src/exporting.js";
import { formatRows, parseRows } from "../src/fragment.js";
import { formatNumber, formatScale, formatTicks, formatValue, shortestFloat } from "../src/format.js";
import { matchingRows } from "../src/query.js";
import { smallModel } from "./scene.js";

const rows = (query, changes) => matchingRows(query, smallModel(changes));

test("Words match classes and row ids", () => {
  assert.deepEqual(rows("dog"), [2, 3]);
  assert.deepEqual(rows("4"), [4]);
  assert.deepEqual(rows("scan-b", { row_ids: ["scan-a", "scan-b", "c", "d", "e", "f"] }), [1]);
});

test("Comparisons use columns and dimensions, and all terms must hold", () => {
  assert.deepEqual(rows("label=cat error>1"), [1]);
  assert.deepEqual(rows('"error">=4 z1<0'), [4]);
  assert.deepEqual(rows('label="no label"'), [4]);
  assert.deepEqual(rows("  "), []);
  assert.deepEqual(rows("err>3"), [3, 4]);
  assert.throws(
    () => rows("r>3", { columns: ["rate", "error"].map((name) => ({ name, kind: "number", values: { data: [] } })) }),
    /rate or error/,
  );
});

test("Terms are joined by and, or and nothing; and binds more than or", () => {
  assert.deepEqual(rows("cat and error>1"), [1]);
  assert.deepEqual(rows("label=cat OR label = dog AND error > 3"), [0, 1, 3]);
  assert.deepEqual(rows("error>3 or cat z1=0"), [0, 3, 4]);
  assert.deepEqual(rows('"or"', { row_ids: ["or", "b", "c", "d", "e", "f"] }), [0]);
  for (const query of ["and cat", "cat or", "cat and or dog", "> 3", "error >", 'label="cat'])
    assert.throws(() => rows(query), Error, query);
});

test("Both kinds of quotes hold names, and an apostrophe within a word is part of it", () => {
  assert.deepEqual(rows("'error' >= 4 'label' = 'cat'"), []);
  assert.deepEqual(rows(`'a "b", c'`), [5]);
  assert.deepEqual(rows("don't", { row_ids: ["don't", "b", "c", "d", "e", "f"] }), [0]);
});

test("Names of several words need no quotes before a comparison", () => {
  const columns = [{ name: "mean error", kind: "number", values: { data: [0, 1, 2, 3, 4, 5] }, unit: "" }];
  assert.deepEqual(rows("mean error > 3", { columns }), [4, 5]);
  assert.deepEqual(rows("5 mean error > 3", { columns }), [5]);
});

test("Equality is written with one or two signs, and can be negated", () => {
  assert.deepEqual(rows("label==dog"), [2, 3]);
  assert.deepEqual(rows("label != dog"), [0, 1, 4, 5]);
  assert.deepEqual(rows("error!=3 row!=0 z1 > −2"), [1, 3, 4, 5]);
});

test("An unknown column or class is an error that lists those that exist", () => {
  assert.throws(() => rows("(kind = a) or error > 3"), /Parentheses/);
  assert.throws(() => rows("Nothing=3"), /Nothing.*label, error, row, id, z1 to z2/);
  assert.throws(() => rows("label=Bird"), /Bird.*cat, dog/);
});

test("Row numbers and ids are different things", () => {
  const changes = { row_ids: ["5", "4", "3", "2", "1", "0"] };
  assert.deepEqual(rows("row<2", changes), [0, 1]);
  assert.deepEqual(rows("id=5", changes), [0]);
  assert.throws(() => rows("id<5", changes), /row</);
});

test("A comparison with what is not a number is an error, and dates are numbers", () => {
  assert.throws(() => rows("error>much"), /much is not a number/);
  const columns = [{ name: "day", kind: "number", values: { data: [0, 1, 2, 3, 4, 5] }, unit: "days since 1970" }];
  assert.deepEqual(rows("day>1970-01-04", { columns }), [4, 5]);
  assert.deepEqual(rows("day > '1970-01-04 12:00'", { columns }), [4, 5]);
  assert.deepEqual(rows("day > 1970 and day < 1971", { columns }), [1, 2, 3, 4, 5]);
  assert.throws(() => rows("day>soon", { columns }), /soon is not a date/);
});

test("Whole numbers, ticks and dates are not rounded to others", () => {
  assert.deepEqual([1234, -123456, 1234.5, 123456.5].map(formatNumber), ["1234", "−123456", "1230", "1.23e+5"]);
  assert.deepEqual(formatTicks([-1.234, -1.2338, -1.2336]), ["−1.2340", "−1.2338", "−1.2336"]);
  assert.deepEqual(formatTicks([0, 5, 10]), ["0", "5", "10"]);
  assert.equal(formatValue({ unit: "days since 1970" }, 19723), "2024-01-01");
  assert.equal(formatValue({ unit: "days since 1970" }, 19723.5), "2024-01-01 12:00");
  const seconds = Date.parse("2024-01-01T12:34:56Z") / 86_400_000;
  assert.equal(formatValue({ unit: "days since 1970" }, seconds), "2024-01-01 12:34:56");
});

test("The ends of a scale say if values lie beyond", () => {
  const column = { limits: [0.1, 2], unit: "nats", values: { data: Float32Array.of(0.1, 1, NaN, 3) } };
  assert.deepEqual(formatScale(column), ["0.1", "≥ 2 nats"]);
});

test("Rows are written as ranges and read again", () => {
  assert.equal(formatRows([1, 2, 3, 7, 9, 10]), "1-3,7,9-10");
  assert.deepEqual(parseRows("1-3,7,9-10", 10), [1, 2, 3, 7, 9]);
  assert.deepEqual(parseRows("", 10), []);
  assert.deepEqual(parseRows("x,-3,2-1,1e99", 10), []);
});

test("Numbers are written with as few digits as tell float32 apart", () => {
  for (const value of [0.1, 1 / 3, -1e-20, 123456.789, 0]) {
    const float = Math.fround(value);
    assert.equal(Math.fround(shortestFloat(float)), float);
  }
  assert.equal(String(shortestFloat(Math.fround(0.1))), "0.1");
  assert.equal(shortestFloat(12345678901), 12345678901);
});

test("Exports hold row numbers, ids, columns and codes", () => {
  const model = smallModel();
  const csv = selectionCsv(model, [4, 5]).split("\r\n");
  assert.deepEqual(csv, ["row,id,label,error,z1,z2", "4,4,,5,-1,0", '5,5,"a ""b"", c",,3,3', ""]);
  const [sample] = JSON.parse(selectionJson(model, [4])).samples;
  assert.deepEqual(sample, { row: 4, id: "4", columns: { label: null, error: 5 }, code: [-1, 0] });
  assert.equal(pythonLine({ python: { rows: "scans.iloc[[{rows}]]" } }, [1, 4]), "scans.iloc[[1, 4]]");
});

test("Texts that a spreadsheet would run as formulas are not formulas in CSV, and numbers stay numbers", () => {
  const rowIds = ["=1+1", "+a", "-3", "@b", "-a", "plain"];
  const lines = selectionCsv(smallModel({ row_ids: rowIds }), [0, 1, 2, 3, 4, 5])
    .split("\r\n")
    .slice(1, -1);
  assert.deepEqual(
    lines.map((line) => line.split(",")[1]),
    ["'=1+1", "'+a", "-3", "'@b", "'-a", "plain"],
  );
  assert.ok(lines[4].endsWith(",-1,0"));
});

test("Dates and numbers in double precision are exported as they are", () => {
  const values = { data: Float64Array.of(19723.5, 0, 0, 0, 0, 0) };
  const day = { name: "day", kind: "number", values, unit: "days since 1970" };
  const size = { name: "size", kind: "number", values: { data: Float64Array.of(0.1, 0, 0, 0, 0, 0) }, unit: "" };
  const [, line] = selectionCsv(smallModel({ columns: [day, size] }), [0]).split("\r\n");
  assert.equal(line, "0,0,2024-01-01 12:00,0.1,0,0");
});

test("High numbers are drawn last, and samples without a value first", () => {
  const [label, error] = smallModel().scene.columns;
  assert.deepEqual([...drawingOrder(error, 6)], [5, 0, 1, 2, 3, 4]);
  assert.equal(drawingOrder(label, 6)[0], 4);
  assert.deepEqual([...drawingOrder(null, 6)].sort(), [0, 1, 2, 3, 4, 5]);
});

test("The highest samples of a column include all that equal the last of them", () => {
  const data = Float32Array.from({ length: 100 }, (_, row) => (row < 30 ? 10 : row < 40 ? NaN : 1));
  assert.equal(smallModel().highestRows({ values: { data } }).length, 30);
  assert.deepEqual(smallModel().highestRows(smallModel().scene.columns[1]), [0, 1, 2, 3, 4]);
});
