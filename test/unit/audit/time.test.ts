import assert from "node:assert/strict";
import test from "node:test";
import { unixTime } from "../../../src/audit/time.ts";

const outcome = (text: string): unknown => {
  try {
    return unixTime(text);
  } catch (error) {
    return (error as Error).message;
  }
};

test("the time that API servers write reads the same with more digits of its fraction", () => {
  for (const second of [
    "2026-11-21T02:53:59",
    "1971-01-01T00:00:00",
    "1970-12-31T23:59:59",
    "2000-02-29T23:59:59",
    "1900-02-29T00:00:00",
    "2023-02-29T00:00:00",
    "2200-12-31T12:00:00",
    "2262-04-11T23:47:16",
    "0001-01-01T00:00:00",
    "2026-04-31T00:00:00",
    "2026-13-01T00:00:00",
    "2026-00-10T00:00:00",
    "2026-01-00T00:00:00",
    "2026-01-01T24:00:00",
    "2026-01-01T23:60:00",
    "2026-01-01T23:59:60",
    "2026-01-01t23:59:59",
    "2O26-01-01T23:59:59",
    "-026-01-01T23:59:59",
  ])
    for (const fraction of ["000000", "689825", "00000x", " 12345"])
      assert.deepEqual(outcome(`${second}.${fraction}Z`), outcome(`${second}.${fraction}000Z`), second);
  assert.equal(unixTime("2026-11-21T02:53:59.689825Z"), "1795229639689825000");
});
