import assert from "node:assert/strict";
import { test } from "node:test";
import { goTime, normaliseTime, unixNano } from "../../../src/sdk/rfc3339.ts";

test("times are accepted and printed as Go does", () => {
  const times: [string, string | undefined][] = [
    ["2025-01-15T10:20:30Z", "2025-01-15T10:20:30Z"],
    ["2025-01-15T10:20:30.123456789Z", "2025-01-15T10:20:30.123456789Z"],
    ["2025-01-15T10:20:30.123450Z", "2025-01-15T10:20:30.12345Z"],
    ["2025-01-15T10:20:30.000Z", "2025-01-15T10:20:30Z"],
    ["2025-01-15T10:20:30.123456789999Z", "2025-01-15T10:20:30.123456789Z"],
    ["2025-01-15T10:20:30,5Z", "2025-01-15T10:20:30.5Z"],
    ["2025-01-15T10:20:30+00:00", "2025-01-15T10:20:30Z"],
    ["2025-01-15T10:20:30-00:00", "2025-01-15T10:20:30Z"],
    ["2025-01-15T10:20:30.10+02:00", "2025-01-15T10:20:30.1+02:00"],
    ["2025-01-15T10:20:30-09:30", "2025-01-15T10:20:30-09:30"],
    ["2025-01-15T10:20:30+24:00", "2025-01-15T10:20:30+24:00"],
    ["2025-01-15T9:20:30Z", "2025-01-15T09:20:30Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"],
    ["1969-12-31T23:59:59.9Z", "1969-12-31T23:59:59.9Z"],
    ["0000-02-29T00:00:00Z", "0000-02-29T00:00:00Z"],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"],
    ["0001-01-01T00:00:00Z", undefined],
    ["0001-01-01T01:00:00+01:00", undefined],
    ["2025-02-29T00:00:00Z", undefined],
    ["2025-13-01T00:00:00Z", undefined],
    ["2025-00-01T00:00:00Z", undefined],
    ["2025-01-32T00:00:00Z", undefined],
    ["2025-01-15T24:00:00Z", undefined],
    ["2025-01-15T10:60:00Z", undefined],
    ["2025-01-15T10:20:60Z", undefined],
    ["2025-01-15T10:20:30.Z", undefined],
    ["2025-01-15T10:20:30", undefined],
    ["2025-01-15T10:20:30+0000", undefined],
    ["2025-01-15T10:20:30+25:00", undefined],
    ["2025-01-15T10:20:30+01:61", undefined],
    ["2025-01-15 10:20:30Z", undefined],
    ["2025-01-15t10:20:30z", undefined],
    ["10000-01-15T10:20:30Z", undefined],
    ["2025-01-15", undefined],
    ["", undefined],
    [" 2025-01-15T10:20:30Z", undefined],
    ["2025-01-15T10:20:30Z\n", undefined],
  ];
  for (const [text, want] of times) assert.equal(normaliseTime(text), want, text);
});

test("chat messages show Go's own time text", () => {
  assert.equal(goTime("2025-01-15T10:20:30.123456789Z"), "2025-01-15 10:20:30.123456789 +0000 UTC");
  assert.equal(goTime("2025-01-15T12:20:30.12+02:00"), "2025-01-15 12:20:30.12 +0200 +0200");
  assert.equal(goTime("2025-01-15T12:20:30-09:30"), "2025-01-15 12:20:30 -0930 -0930");
  assert.equal(goTime("no time"), "no time");
});

test("nanoseconds since the epoch lose nothing", () => {
  assert.equal(unixNano("2025-01-15T10:20:30.123456789Z"), "1736936430123456789");
  assert.equal(unixNano("2025-01-15T12:20:30.123456789+02:00"), "1736936430123456789");
  assert.equal(unixNano("1969-12-31T23:59:59.5Z"), "-500000000");
  assert.equal(unixNano("1970-01-01T00:00:00Z"), "0");
});

test("every day of four centuries is the day that JavaScript's calendar knows", () => {
  for (let day = -150_000; day < 60_000; day += 13) {
    const want = new Date(day * 86_400_000).toISOString().replace(".000Z", "Z");
    assert.equal(normaliseTime(want), want);
    assert.equal(unixNano(want), day === 0 ? "0" : `${day * 86_400}000000000`);
    const shifted = normaliseTime(want.replace("T00:00:00Z", "T00:00:00+05:30"));
    assert.equal(shifted, want.replace("Z", "+05:30"));
  }
});
