import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeAlert, encodeAlert } from "../../../src/pipeline/codec.ts";
import { markOwnTest } from "../../../src/pipeline/own-test.ts";
import { compileMatch, routeAlerts } from "../../../src/pipeline/route.ts";
import { toOutputs } from "../../../src/pipeline/walk.ts";
import { childIds, letterIds } from "../../../src/queue/ids.ts";
import type { Alert } from "../../../src/sdk/alert.ts";

const alert = (over: Partial<Alert> = {}): Alert => ({
  uuid: "00000000-0000-4000-8000-000000000001",
  time: "2026-11-20T12:00:00Z",
  rule: "Terminal shell in container",
  priority: "Warning",
  source: "syscall",
  output: "text",
  tags: ["container", "shell"],
  output_fields: {},
  added: [],
  ...over,
});
const noConditions = () => {
  throw new Error("no condition was given");
};

test("minimumpriority lets equal and graver alerts pass, the hub's own test always, and nobody's alert for its rule's name", () => {
  const takes = compileMatch({ minimumpriority: "Error" }, noConditions);
  assert.equal(takes(alert({ priority: "Warning" })), false);
  assert.equal(takes(alert({ priority: "Error" })), true);
  assert.equal(takes(alert({ priority: "Emergency" })), true);
  const test = { priority: "Debug", rule: "Test rule", source: "internal" } as const;
  assert.equal(takes(alert(test)), false);
  const own = alert(test);
  markOwnTest([own]);
  assert.equal(takes(own), true);
  assert.equal(takes(decodeAlert(encodeAlert(own))), true, "also behind the queue of another process");
  const forged = { ...alert(test), output: "!", output_fields: { "!": "!" } };
  assert.equal(takes(decodeAlert(encodeAlert(forged))), false);
});

test("one of the tags is enough", () => {
  const takes = compileMatch({ tags: ["network", "shell"] }, noConditions);
  assert.equal(takes(alert()), true);
  assert.equal(takes(alert({ tags: ["container"] })), false);
});

test("rule globs fit the whole name and take punctuation literally", () => {
  const takes = compileMatch({ rules: ["Terminal*", "K8s (Secret) ?reated"] }, noConditions);
  assert.equal(takes(alert()), true);
  assert.equal(takes(alert({ rule: "A Terminal" })), false);
  assert.equal(takes(alert({ rule: "K8s (Secret) Created" })), true);
});

test("all that is set must hold, the condition among it", () => {
  const takes = compileMatch({ tags: ["shell"], condition: "alert.rule = x" }, () => (a) => a.rule === "x");
  assert.equal(takes(alert()), false);
  assert.equal(takes(alert({ rule: "x" })), true);
  assert.equal(takes(alert({ rule: "x", tags: [] })), false);
});

test("each route gets a chunk of what it takes, under the parent's id, and nothing when it takes none", () => {
  const alerts = [alert({ rule: "a" }), alert({ rule: "b" })];
  const routed = routeAlerts(alerts, [
    { id: "all", takes: () => true },
    { id: "b", takes: (a) => a.rule === "b" },
    { id: "none", takes: () => false },
  ]);
  const chunks = toOutputs({ id: "p1", at: 5 }, routed);
  assert.deepEqual(
    chunks.map((c) => [c.lane, c.id, c.count, c.at]),
    [
      ["out:all", "p1", 2, 5],
      ["out:b", "p1", 1, 5],
    ],
  );
  assert.deepEqual(
    chunks[1]?.body.split("\n").map((line) => decodeAlert(line).rule),
    ["b"],
  );
});

test("ids of what an item leaves behind are the same for the same content, and others for what a repetition makes of it", () => {
  const child = (body: string) => ({ lane: "out:x", id: "item", body, count: 1, at: 0 });
  const [first, again, other] = childIds([child("one"), child("one"), child("one\ntwo")]);
  assert.equal(first?.id, again?.id);
  assert.notEqual(first?.id, other?.id);
  const item = { id: "item", attempt: 2 };
  assert.deepEqual(letterIds(item, [{ body: "a" }]), letterIds(item, [{ body: "a" }]));
  assert.notDeepEqual(letterIds(item, [{ body: "a" }]), letterIds(item, [{ body: "a\nb" }]));
  assert.equal(new Set(letterIds(item, [{ body: "a" }, { body: "a" }, { body: "b" }])).size, 3);
});
