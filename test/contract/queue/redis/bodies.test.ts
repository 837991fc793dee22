/** Bodies that stand apart from their jobs on Redis: there as long as a job needs them, and no longer. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import { Redis } from "ioredis";
import { corruptReason } from "../../../../src/queue/handling.ts";
import type { Settlement } from "../../../../src/queue/queue.ts";
import { openBodies } from "../../../../src/queue/redis/bodies.ts";
import { connectRedis } from "../../../../src/queue/redis/connect.ts";
import { openRedisQueue } from "../../../../src/queue/redis/driver.ts";
import { chunk, recorder } from "../../../support/queues.ts";
import { redisMissing, startRedis } from "../../../support/redis.ts";
import { until } from "../../../support/until.ts";

const skip = redisMissing() ?? false;
const hour = 3_600_000;
const lanes = Array.from({ length: 6 }, (_, i) => `out:o${i}`);
/** Incompressible. */
const text = (bytes: number) => randomBytes(bytes).toString("hex");

async function queueOn(t: TestContext) {
  const server = await startRedis();
  t.after(() => server.stop());
  const client = new Redis(server.port, "127.0.0.1");
  t.after(() => client.disconnect());
  let later = 0;
  const now = () => Date.now() + later;
  const queue = openRedisQueue({ url: server.url, now, throwDelayMs: 10 });
  t.after(() => queue.close());
  const own = connectRedis({ url: server.url }, "work", 1000);
  t.after(() => own.disconnect());
  const bodies = openBodies({ pushing: own, working: own, prefix: "eyrie", oneSlot: true, now });
  t.after(() => bodies.close());
  return {
    client,
    queue,
    stored: async () => (await client.keys("eyrie:body:*")).filter((key) => !key.endsWith(":held")),
    listed: () => client.zcard("eyrie:bodies"),
    sweepAfter: (ms: number) => {
      later += ms;
      return bodies.sweep();
    },
  };
}

test("one body for many lanes is there until the last of them has settled, whatever the others did", {
  skip,
}, async (t) => {
  const { queue, stored, listed } = await queueOn(t);
  const body = text(40_000);
  await queue.push(lanes.map((lane) => chunk(lane, "a", body)));
  assert.equal((await stored()).length, 1);
  let settle: Settlement = { retry: { body, count: 1, inMs: 1 } };
  const seen = new Map<string, string[]>();
  const consume = (lane: string) => {
    const bodies: string[] = [];
    seen.set(lane, bodies);
    queue.consume(
      lane,
      async (item) => {
        bodies.push(item.body);
        return item.attempt > 0 ? {} : settle;
      },
      2,
    );
  };
  for (const lane of lanes.slice(0, 2)) consume(lane);
  settle = { dead: [{ body, count: 1, why: "no" }] };
  for (const lane of lanes.slice(2, 4)) consume(lane);
  settle = { retry: { body, count: 1, inMs: 1 } };
  consume(lanes[4] ?? "");
  const empty = async (lane: string) => Object.values(await queue.depth(lane)).every((n, i) => i === 3 || n === 0);
  for (const lane of lanes.slice(0, 5)) await until("settled", () => empty(lane));
  assert.equal((await stored()).length, 1);
  consume(lanes[5] ?? "");
  await until("the body is gone", async () => (await stored()).length === 0);
  assert.equal(await listed(), 0);
  assert.ok([...seen.values()].flat().every((one) => one === body));
  assert.equal([...seen.values()].filter((some) => some.length > 0).length, 6);
});

test("what is left of a large body takes its place, large or small", { skip }, async (t) => {
  const { queue, stored } = await queueOn(t);
  const parts = [text(40_000), text(30_000), "small"];
  await queue.push([chunk("k", "a", parts[0])]);
  const before = await stored();
  const { items, handle } = recorder(async (item) => {
    const left = parts[item.attempt + 1];
    return left === undefined ? {} : { retry: { body: left, count: 1, inMs: 1 } };
  });
  queue.consume("k", handle, 1);
  await until("all attempts", () => items.length === 3);
  assert.deepEqual(
    items.map((item) => item.body),
    parts,
  );
  await until("nothing is stored", async () => (await stored()).length === 0);
  assert.equal(before.length, 1);
});

test("on a full Redis what is left of a large body takes its place, and all of it goes", { skip }, async (t) => {
  const { client, queue, stored } = await queueOn(t);
  const [whole, left] = [text(40_000), text(30_000)];
  await queue.push([chunk("k", "a", whole)]);
  await client.config("SET", "maxmemory", "1mb");
  await assert.rejects(queue.push([chunk("k", "b", text(40_000))]), /out of memory/);
  const { items, handle } = recorder(async ({ attempt }) =>
    attempt > 0 ? {} : { retry: { body: left, count: 1, inMs: 1 } },
  );
  queue.consume("k", handle, 1);
  await until("both attempts", () => items.length === 2);
  assert.deepEqual(
    items.map((item) => item.body),
    [whole, left],
  );
  await until("nothing is stored", async () => (await stored()).length === 0);
});

test("a push of what the lane has finished leaves no body", { skip }, async (t) => {
  const { queue, stored } = await queueOn(t);
  const { items, handle } = recorder();
  queue.consume("k", handle, 1);
  const again = () => queue.push([chunk("k", "a", text(40_000)), chunk("k", "b")]);
  await again();
  await until("done and forgotten", async () => items.length === 2 && (await stored()).length === 0);
  await again();
  assert.deepEqual(await stored(), []);
  assert.equal(items.length, 2);
});

test("a holder that a kill left behind goes with a sweep, and its body with it; what a job needs stays", {
  skip,
}, async (t) => {
  const { client, queue, stored, listed, sweepAfter } = await queueOn(t);
  const [needed, lost] = [text(40_000), text(40_000)];
  await queue.push([chunk("k", "needed", needed)]);
  const [first = ""] = await stored();
  await queue.push([chunk("k", "lost", lost)]);
  await client.del("eyrie:{k}:elost");
  await client.lrem("eyrie:{k}:wait", 0, "elost");
  await sweepAfter(0);
  assert.equal((await stored()).length, 2, "a push may be at work");
  await sweepAfter(2 * hour);
  assert.deepEqual(await stored(), [first]);
  await sweepAfter(20 * hour);
  assert.deepEqual(await stored(), [first]);
  assert.equal(await listed(), 1);
  const { items, handle } = recorder();
  queue.consume("k", handle, 1);
  await until("delivered", () => items.length === 1);
  assert.equal(items[0]?.body, needed);
});

test("a body that somebody deleted is a dead letter that says so, and the lane goes on", { skip }, async (t) => {
  const { client, queue, stored } = await queueOn(t);
  // Too large to wait in memory.
  await queue.push([chunk("k", "a", text(3_000_000)), chunk("k", "b", "{}")]);
  await client.del(...(await stored()));
  const { items, handle } = recorder();
  queue.consume("k", handle, 1);
  await until("the other", () => items.length === 1);
  assert.equal(items[0]?.id, "b");
  assert.deepEqual(
    (await queue.dead("k", 5)).map((letter) => letter.why),
    [corruptReason],
  );
});
