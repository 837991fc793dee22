import assert from "node:assert/strict";
import { test } from "node:test";
import { JsonError, jsonValues, parseJson } from "../../../src/json/parse.ts";
import { goJson, isRawNumber, numberText } from "../../../src/sdk/alert.ts";
import { goValue } from "../../../src/sdk/field-text.ts";

test("numbers keep their text where a double would change it, and are plain numbers where it would not", () => {
  const literals = [
    "1736936430123456789",
    "-12345678901234567890",
    "1.50",
    "1e5",
    "15E+2",
    "-0",
    "0.10",
    "1e400",
    "1.0",
  ];
  for (const literal of literals) {
    for (const text of [literal, `[${literal}]`, `{"a":${literal}}`, `{"a" : [ 1 , ${literal} ] }`]) {
      assert.equal(goJson(parseJson(text)).replaceAll(" ", ""), text.replaceAll(" ", ""));
    }
    assert.ok(isRawNumber(parseJson(literal)));
  }
  for (const literal of ["0", "42", "-7", "1.5", "9007199254740991", "1e+21"]) {
    assert.equal(typeof parseJson(`[${literal}]`), "object");
    assert.equal(numberText((parseJson(`[${literal}]`) as number[])[0] as number), literal);
    assert.equal(typeof (parseJson(`[${literal}]`) as unknown[])[0], "number");
  }
});

test("numbers inside strings stay strings, whatever stands around them", () => {
  for (const inner of ["1.50", ",1.50,", ":1.50", "[1736936430123456789]", '\\",1.50,\\"', "\\\\", "x: -0 ,"]) {
    const text = `{"a":"${inner}","b":1.50,"${inner}":2}`;
    assert.equal(goJson(parseJson(text)), text);
  }
});

test("nobody forges a number with NUL", () => {
  const text = '["\\u00001.50","\\u00000;1.50","\\u00001;2","\\u0000","a\\u00001.5",1.50,17369364301234567890]';
  const [first, second, third, , , number] = parseJson(text) as unknown[];
  assert.deepEqual([first, second, third], ["\u00001.50", "\u00000;1.50", "\u00001;2"]);
  assert.ok(isRawNumber(number));
  assert.equal(goJson(parseJson(text)), text);
});

test("__proto__ and constructor are keys like any other", () => {
  const value = parseJson('{"__proto__":{"polluted":1.50},"constructor":{"prototype":{"polluted":1}},"a":1.50}');
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.deepEqual(Object.keys(value as object), ["__proto__", "constructor", "a"]);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.equal((value as Record<string, unknown>).polluted, undefined);
});

test("of equal keys the last wins", () => {
  assert.deepEqual(parseJson('{"a":1,"b":2,"a":3}'), { a: 3, b: 2 });
});

test("what is no JSON is refused with the place and without the text", () => {
  const faults: [string, string][] = [
    ["", "no JSON value"],
    [" \n", "no JSON value"],
    ["{secret", "line 1 column 2: unexpected character"],
    ['{"a":1,1.50}', "line 1 column 8: unexpected character"],
    ["{1.50:1}", "line 1 column 2: unexpected character"],
    ['{"a":1.}', "line 1 column 7: unexpected character"],
    ["[01.5]", "line 1 column 3: unexpected character"],
    ['{"a":\n tru}', "line 2 column 2: unexpected character"],
    ['["a\nb"]', "line 1 column 4: unexpected character"],
    ['["\\x"]', "line 1 column 3: unexpected character"],
    ['["abc', "line 1 column 6: the value is not finished"],
    ["[1", "line 1 column 3: the value is not finished"],
    ["{} secret", "line 1 column 4: text after the value"],
    ["\ufeff{}", "line 1 column 1: unexpected character"],
  ];
  for (const [text, message] of faults) {
    assert.throws(
      () => parseJson(text),
      (error: unknown) => error instanceof JsonError && error.message === message,
      text,
    );
  }
});

test("ten thousand levels are read, written and printed; one more is refused", () => {
  for (const [open, close] of [
    ["[", "]"],
    ['{"a":', "}"],
  ] as const) {
    const text = `${open.repeat(9999)}[1.50]${close.repeat(9999)}`;
    const value = parseJson(text);
    assert.equal(goJson(value), text);
    assert.ok(goValue(value as never).length > 9999);
    assert.throws(() => parseJson(`${open.repeat(10_000)}[1.50]${close.repeat(10_000)}`), JsonError);
  }
});

const parts = (text: string): unknown[] =>
  [...jsonValues(text)].map((part) => ("fault" in part ? part.fault : goJson(part.value)));

test("several values: lines, one after the other, spread over lines", () => {
  assert.deepEqual(parts('{"a":1}\n{"b":1.50}\r\n\n[1]\n'), ['{"a":1}', '{"b":1.50}', "[1]"]);
  assert.deepEqual(parts('{"a":1}{"b":2} {"c":3}[4]'), ['{"a":1}', '{"b":2}', '{"c":3}', "[4]"]);
  assert.deepEqual(parts('{\n "a": 1\n}\n{\n "b": [\n 2]}'), ['{"a":1}', '{"b":[2]}']);
  assert.deepEqual(parts(' [\n{"a":1},\n{"b":2}\n]\n'), ['[{"a":1},{"b":2}]']);
  assert.deepEqual(parts("1 2\n3"), ["1", "2", "3"]);
  assert.deepEqual(parts(" \n"), []);
});

test("a broken value is named and reading goes on at the next line that starts one", () => {
  assert.deepEqual(parts('{"a":1}\n{"b":\n{"c":3}\n'), [
    '{"a":1}',
    "line 4 column 1: the value is not finished",
    '{"c":3}',
  ]);
  assert.deepEqual(parts('{"a":1}garbage'), ['{"a":1}', "line 1 column 8: unexpected character"]);
  assert.deepEqual(parts('x\ny\n{"z":1}'), ["line 1 column 1: unexpected character", '{"z":1}']);
  assert.deepEqual(parts('{"a":"cut\n{"b":2}'), ["line 1 column 10: unexpected character", '{"b":2}']);
});

test("offsets say where each value stands", () => {
  const text = ' {"a":1}\n\n{"b":2} [3]';
  const found = [...jsonValues(text)].map(({ start, end }) => text.slice(start, end));
  assert.deepEqual(found, ['{"a":1}', '{"b":2}', "[3]"]);
});

test("hostile texts are read in time linear to their length", () => {
  const texts = [
    "{}",
    "[\n",
    "{\n",
    '{"a":[\n',
    "[1,x\n",
    '"',
    '{"a":"\\',
    "1.5,",
    "\\u0000",
    '{"a":"\\u0000',
    "[1,\n\n\n",
  ];
  for (const text of texts) {
    let count = 0;
    for (const part of jsonValues(text.repeat(100_000))) count += "fault" in part ? 1 : 2;
    assert.ok(count > 0);
  }
});

test("Go's escapes are written, and half a surrogate pair is U+FFFD", () => {
  assert.equal(goJson({ a: "<b>&\u2028\u2029" }), '{"a":"\\u003cb\\u003e\\u0026\\u2028\\u2029"}');
  assert.equal(
    goJson({ "\ud800k": "a\udc00", b: "\\ud800", c: "\ud83d\ude00" }),
    '{"\ufffdk":"a\ufffd","b":"\\\\ud800","c":"😀"}',
  );
});
