import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeAlerts, makeAlertSettings } from "../../../src/pipeline/alert-in.ts";
import { decodeAlert, encodeAlert } from "../../../src/pipeline/codec.ts";
import { type Alert, goJson, isRawNumber, rawEvent } from "../../../src/sdk/alert.ts";

const randomOf = (seed: number) => {
  let state = seed;
  return (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
};

const texts = [
  "",
  "a",
  "] {",
  '"] {"',
  "{",
  "line\nbreak",
  "\u0000",
  "\u2028",
  "<&>",
  "😀",
  "__proto__",
  "\\u0000;",
  "1.50",
  "[",
  " ",
];
const numbers = ["0", "-0", "1.50", "1e5", "12345678901234567890", "42", "1736936430123456789"];

const alerts = (count: number): Alert[] => {
  const random = randomOf(7);
  const pick = (items: readonly string[]): string => items[random(items.length)] as string;
  const value = (depth: number): string => {
    const kind = random(depth > 3 ? 4 : 6);
    if (kind === 0) return pick(numbers);
    if (kind === 1) return pick(["true", "false", "null"]);
    if (kind === 4) return `[${Array.from({ length: random(4) }, () => value(depth + 1)).join(",")}]`;
    if (kind === 5) return object(depth + 1);
    return JSON.stringify(pick(texts));
  };
  const object = (depth: number): string =>
    `{${Array.from({ length: random(5) }, () => `${JSON.stringify(pick(texts))}:${value(depth)}`).join(",")}}`;
  return Array.from({ length: count }, () => {
    const customfields = Object.fromEntries(Array.from({ length: random(3) }, () => [`c${pick(texts)}`, pick(texts)]));
    const { settings } = makeAlertSettings(
      { customfields, customtags: [], templatedfields: {}, bracketreplacer: "", outputfieldformat: "" },
      () => "7e5b6d0e-0000-4000-8000-000000000001",
    );
    const head = JSON.stringify({
      rule: `r${pick(texts)}`,
      priority: "error",
      time: "2025-01-15T10:20:30.5+02:00",
      output: pick(texts),
      hostname: pick(texts),
      tags: [pick(texts), pick(texts)].slice(random(3)),
    });
    const decoded = decodeAlerts(`${head.slice(0, -1)},"output_fields":${object(0)}}`, settings);
    return decoded.alerts[0]!;
  });
};

test("an alert comes back from its line as it was, numbers and added names included", () => {
  for (const alert of alerts(3000)) {
    const line = encodeAlert(alert);
    assert.ok(!line.includes("\n"));
    const back = decodeAlert(line);
    assert.equal(goJson({ ...back }), goJson({ ...alert }));
    assert.deepEqual(Object.keys(back), Object.keys(alert));
    assert.equal(rawEvent(back), rawEvent(alert));
    assert.equal(encodeAlert(back), line);
    assert.ok(Object.isFrozen(back) && Object.isFrozen(back.tags) && Object.isFrozen(back.output_fields));
    assert.equal(Object.getPrototypeOf(back.output_fields), null);
  }
});

test("the line of an alert without added fields is its raw event", () => {
  const alert = alerts(50).find(({ added }) => added.length === 0)!;
  assert.equal(encodeAlert(alert), rawEvent(alert));
});

test("a number that no double carries is the same number on the other side", () => {
  const line =
    '["a"] {"uuid":"u","output":"","priority":"Debug","rule":"r","time":"t","output_fields":{"evt.time":1736936430123456789},"source":"s"}';
  const alert = decodeAlert(line);
  assert.ok(isRawNumber(alert.output_fields["evt.time"]));
  assert.deepEqual(alert.added, ["a"]);
  assert.equal(encodeAlert(alert), line);
});

test("a damaged line is an error", () => {
  for (const line of ["", "{", '["a"]', '["a"] {"uuid"', "null", "1"]) assert.throws(() => decodeAlert(line));
});
