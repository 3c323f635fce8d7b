import assert from "node:assert/strict";
import { test } from "node:test";
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
  assert.deepEqual(rows("label=bird"), []);
  assert.deepEqual(rows('label="no label"'), [4]);
  assert.deepEqual(rows("  "), []);
  assert.throws(() => rows("nothing=3"), /nothing/);
  assert.deepEqual(rows("err>3"), [3, 4]);
  assert.throws(
    () => rows("r>3", { columns: ["rate", "error"].map((name) => ({ name, kind: "number", values: { data: [] } })) }),
    /rate or error/,
  );
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
  assert.throws(() => rows("day>soon", { columns }), /soon is not a date/);
});

test("Whole numbers, ticks and dates are not rounded to others", () => {
  assert.deepEqual([1234, -123456, 1234.5, 123456.5].map(formatNumber), ["1234", "−123456", "1230", "1.23e+5"]);
  assert.deepEqual(formatTicks([-1.234, -1.2338, -1.2336]), ["−1.2340", "−1.2338", "−1.2336"]);
  assert.deepEqual(formatTicks([0, 5, 10]), ["0", "5", "10"]);
  assert.equal(formatValue({ unit: "days since 1970" }, 19723.5), "2024-01-01");
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
