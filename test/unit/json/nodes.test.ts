import assert from "node:assert/strict";
import test from "node:test";
import { hasEqualKeys } from "../../../src/json/equal-keys.ts";
import { readJson } from "../../../src/json/read.ts";

const node = (text: string) => readJson(text, 0, 3) ?? assert.fail(text);

test("the last of equal keys is found, whichever of them is written with escapes", () => {
  for (const text of [
    '{"a":1,"b":0,"a":2}',
    '{"\\u0061":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"\\u0061":0,"a":1,"\\u0061":2}',
    '{ "a" : 1 , "a" : 2 }',
  ])
    assert.equal(node(text).asRead().get("a")?.asText(), "2", text);
  assert.equal(node('{"a":1,"ab":2}').asRead().get("a")?.asText(), "1");
  assert.equal(node('{"a":1}').asRead().get("b"), undefined);
  assert.equal(node('["a"]').asRead().get("a"), undefined);
  assert.equal(node('{"a\\\\b":1}').asRead().get("a\\b")?.asText(), "1");
});

test("what is inside of a value as API servers read it is read so, too", () => {
  const read = node(
    '{"x":[{"a":{"b":1}},{"a":{"b":1},"\\u0061":{"b":1,"b":{"c":"d\\u0065\\/\\n\\"\\u0000"}}}]}',
  ).asRead();
  const inner = read.get("x")?.at(1)?.get("a");
  assert.equal(inner?.get("b")?.asText(), '{"c":"de/\\n\\"\\u0000"}');
  assert.equal(inner?.get("b")?.get("c")?.asText(), 'de/\n"\0');
  assert.equal(inner?.size, 2);
});

test("equal keys are seen in every object, at any depth and however they are spelled", () => {
  for (const text of [
    '{"a":1,"a":1}',
    '{"x":[{"a":{"b":1,"b":2}}]}',
    '{"a":1,"\\u0061":2}',
    '{"a":{},"b":[],"a":[]}',
    '[{},{"k":"v","k":"v"}]',
  ])
    assert.ok(hasEqualKeys(node(text)), text);
  for (const text of [
    '{"a":{"a":1},"b":{"a":2}}',
    '[{"a":1},{"a":2}]',
    '{"a":"b","b":"a,\\"a\\":"}',
    "{}",
    '["a","a"]',
  ])
    assert.ok(!hasEqualKeys(node(text)), text);
  const list = node('{"kind":"L","items":[{"a":1},{"a":2,"a":3},{"a":4}]}').get("items");
  assert.deepEqual(
    [0, 1, 2].map((i) => hasEqualKeys(list?.at(i) ?? assert.fail())),
    [false, true, false],
  );
});

test("a thirteenth key is compared with all before it", () => {
  const keys = (names: readonly string[]) => `{${names.map((name) => `"${name}":0`).join(",")}}`;
  const many = Array.from({ length: 30 }, (_, n) => `k${n}`);
  assert.ok(!hasEqualKeys(node(keys(many))));
  for (const again of ["k0", "k11", "k12", "k29", "\\u006b3"])
    assert.ok(hasEqualKeys(node(keys([...many, again]))), again);
});

test("a key written with escapes is found at every level, whatever backslashes stand before and behind it", () => {
  const inner = '{"v":"x\\\\","\\u0062":{"n":"\\"","p":1,"\\u0063":"\\n","q":2}}';
  for (const text of [`{"x":"\\t","\\u0061":${inner},"z":0}`, `{ "x" : "\\t" , "\\u0061" : ${inner} , "z" : 0 }`])
    for (const levels of [0, 1, 2, 3]) {
      const root = readJson(text, 0, levels);
      assert.equal(root?.get("a")?.get("b")?.get("c")?.asText(), "\n", `${text} ${levels}`);
      assert.equal(root?.get("a")?.get("b")?.get("q")?.asText(), "2");
      assert.equal(root?.get("a")?.get("y"), undefined);
      assert.equal(root?.get("z")?.asText(), "0");
    }
});

test("the text of a member is that of its value, without a node for it", () => {
  const text = '{"s":"a\\u0062","n":-1.50,"t":true,"z":null,"o":{"b" : 1},"l":[1, 2],"s":"second","\\u0065":"e"}';
  for (const value of [node(text), node(text).asRead()])
    for (const key of ["s", "n", "t", "z", "o", "l", "e", "missing"]) {
      assert.equal(value.textAt(key), value.get(key)?.asText(), key);
      assert.equal(value.has(key), value.get(key) !== undefined, key);
    }
  assert.equal(node("[1]").textAt("0"), undefined);
});
