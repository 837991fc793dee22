import assert from "node:assert/strict";
import { test } from "node:test";
import { auditEvent, golden } from "../../audit/support.ts";
import { request } from "./client.ts";
import { type Hub, makeHub, openSource } from "./hub.ts";

/**
 * kube-apiserver's webhook client as measured: five tries with growing gaps; a 429 or 5xx with Retry-After is repeated ten
 * times within a try, at the pace asked for; no status means "do not resend". Time is counted, not waited for.
 */
const deliver = async (port: number, body: Buffer, clock: (ms: number) => void): Promise<"delivered" | "dropped"> => {
  for (const gapMs of [11_100, 16_600, 25_600, 34_400, 0]) {
    for (let repeat = 0; repeat <= 10; repeat++) {
      const reply = await request(port, { path: "/k8s-audit?timeout=30s", body }).catch(() => undefined);
      if (reply && reply.status >= 200 && reply.status < 300) return "delivered";
      const wait = reply && (reply.status === 429 || reply.status >= 500) ? reply.headers["retry-after"] : undefined;
      if (wait === undefined) break;
      clock(Number(wait) * 1000);
    }
    clock(gapMs);
  }
  return "dropped";
};

const idsOf = (hub: Hub): string[] => hub.taken.map(({ text }) => JSON.parse(text).auditID);

test("recorded POSTs are taken as they were sent: every event, byte for byte, in order", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit" }, hub);
  for (const post of golden("kube-posts")) {
    const headers: Record<string, string> = {};
    for (let i = 0; i < post.rawHeaders.length; i += 2) headers[post.rawHeaders[i]] = post.rawHeaders[i + 1];
    const before = hub.taken.length;
    const reply = await request(port, { path: post.url, headers, body: Buffer.from(post.body) });
    assert.deepEqual([reply.status, reply.body], [200, ""]);
    const taken = hub.taken.slice(before);
    assert.equal(taken.length, post.items);
    assert.equal(
      `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${taken.map((e) => e.text).join(",")}]}\n`,
      post.body,
    );
  }
  assert.deepEqual(hub.drops, []);
});

test("an outage of five minutes loses no batch and doubles none", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit" }, hub);
  const begin = hub.clock.ms;
  hub.refuse = true;
  const batches = [1, 2, 3].map((n) => Buffer.from(`[${auditEvent({}, `a${n}`)},${auditEvent({}, `b${n}`)}]`));
  for (const body of batches) {
    hub.refuse = true;
    const from = hub.clock.ms;
    const outcome = await deliver(port, body, (ms) => {
      hub.clock.ms += ms;
      if (hub.clock.ms - from > 300_000) hub.refuse = false;
    });
    assert.equal(outcome, "delivered");
  }
  assert.ok(hub.clock.ms - begin > 900_000);
  assert.deepEqual(idsOf(hub), ["a1", "b1", "a2", "b2", "a3", "b3"]);
});

test("an answer that was lost on the way leads to a redelivery that is not taken twice", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit" }, hub);
  const body = Buffer.from(auditEvent());
  let finish = (): void => {};
  const slow = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const push = hub.host.push;
  Object.assign(hub.host, {
    push: async (events: Parameters<typeof push>[0]) => {
      await slow;
      return push(events);
    },
  });
  const first = request(port, { body });
  const second = request(port, { body });
  finish();
  assert.deepEqual([(await first).status, (await second).status], [200, 200]);
  assert.equal(hub.taken.length, 1);
});

test("a batch of which nothing can be taken is resent by the client and still costs one report", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit" }, hub);
  assert.equal(await deliver(port, Buffer.from('{"kind":"Pod"}'), () => {}), "dropped");
  assert.deepEqual(hub.drops, ["not_an_event"]);
});

test("an event cannot hide behind the id of another: both of one batch and both of two batches are taken", async (t) => {
  const hub = makeHub();
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit" }, hub);
  const mine = auditEvent({ stage: "ResponseComplete", user: { username: "alice" } }, "same");
  const theirs = auditEvent({ stage: "ResponseComplete", user: { username: "mallory" } }, "same");
  await request(port, { body: Buffer.from(`[${mine},${theirs}]`) });
  await request(port, { body: Buffer.from(`[${theirs},${mine}]`) });
  assert.deepEqual(idsOf(hub), ["same", "same", "same", "same"]);
});
