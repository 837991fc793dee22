import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeEvent, encodeEvent, eventLines } from "../../../src/pipeline/event-lines.ts";
import { eventIdentity } from "../../../src/pipeline/judge/event-identity.ts";
import type { Incoming } from "../../../src/sdk/event.ts";
import { openEvent } from "../../../src/sdk/json-event.ts";

const text = '{"auditID":"a","x":"\\t"}';
const events: readonly Incoming[] = [
  { source: "k8s_audit", text },
  { source: "k8s_audit", text, timeNs: "1709287201000000123", cluster: "west 1" },
  { source: "k8s_audit", text, meta: { "cloud.account": "1\t2\n3", "@2": '"' } },
  { source: "k8s_audit", text, timeNs: "1", cluster: "c", meta: { a: "" } },
];

test("an event is read as it was written", () => {
  for (const event of events) assert.deepEqual(decodeEvent(encodeEvent(event)), event);
  assert.deepEqual(eventLines.decode(eventLines.encode(events)), events);
});

test("a line says its form, unless it is the first, which older hubs wrote and read", () => {
  assert.deepEqual(decodeEvent(`k8s_audit\t5\teu\t${text}`), { source: "k8s_audit", timeNs: "5", cluster: "eu", text });
  assert.equal(encodeEvent({ source: "k8s_audit", text, meta: {} }), `k8s_audit\t\t\t${text}`);
  assert.equal(encodeEvent({ source: "k8s_audit", text, meta: { a: "b" } }), `@2\tk8s_audit\t\t\t{"a":"b"}\t${text}`);
});

test("a form that is not known here is not guessed at: its chunk waits for a hub that knows it", () => {
  assert.throws(() => decodeEvent(`@3\tk8s_audit\t\t\t${text}`), /form 3 of a stored event is not known here/);
});

test("what is known of an event reaches the rules' fields, and is no part of what the event is", () => {
  const [plain, , known] = events.map((event) => openEvent(event, 1, 0));
  assert.deepEqual([plain?.meta, known?.meta], [{}, events[2]?.meta]);
  assert.equal(plain && eventIdentity(plain), known && eventIdentity(known));
});
