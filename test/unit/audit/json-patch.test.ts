import assert from "node:assert/strict";
import { test } from "node:test";
import { bodiesOf } from "../../../src/audit/body/bodies.ts";
import { readJson } from "../../../src/json/read.ts";

type Operation = Readonly<Record<string, unknown>>;

/** What the patch sets, and the length of its own text. */
const askedBy = (operations: readonly Operation[]): { text: string | undefined; sent: number } => {
  const text = JSON.stringify({ kind: "Event", verb: "patch", requestObject: operations });
  const event = readJson(text, 0, 3) ?? assert.fail();
  return { text: bodiesOf(event).asked?.asText(), sent: text.length };
};

const add = { op: "add", path: "/a0", value: { x: 1 } };

test("a copy is one of its own: of itself into itself, and changed afterwards", () => {
  const copy = { op: "copy", from: "/a0", path: "/a0/b" };
  assert.equal(askedBy([add, copy]).text, '{"a0":{"x":1,"b":{"x":1}}}');
  const change = { op: "replace", path: "/a0/x", value: 2 };
  assert.equal(askedBy([add, { ...copy, path: "/b" }, change]).text, '{"a0":{"x":2},"b":{"x":1}}');
});

test("copies of copies come to no more than the patch is long, and what came before them is kept", () => {
  for (const doublings of [10, 30, 300]) {
    const doubled = Array.from({ length: doublings }, (_, i) => [
      { op: "copy", from: `/a${i}`, path: `/a${i + 1}/l` },
      { op: "copy", from: `/a${i}`, path: `/a${i + 1}/r` },
    ]).flat();
    const { text, sent } = askedBy([add, ...doubled, { op: "add", path: "/last", value: true }]);
    assert.ok(text !== undefined && text.length < 12 * sent, `${text?.length} of ${sent}`);
    const object = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual([object.a0, object.a1, object.last], [{ x: 1 }, { l: { x: 1 }, r: { x: 1 } }, true]);
  }
});

test("moves that nest without end end at the depth that an object may have", () => {
  const nest = Array.from({ length: 300 }, () => [
    { op: "move", from: "/a0", path: `/b${"/c".repeat(90)}` },
    { op: "move", from: "/b", path: "/a0" },
  ]).flat();
  const { text } = askedBy([add, ...nest, { op: "add", path: "/last", value: true }]);
  assert.equal(JSON.parse(text ?? "{}").last, true);
});
