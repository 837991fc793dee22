/** Delays follow elapsed time, whatever the wall clock does: BullMQ and the queue read a Date.now that jumps. */

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openRedisQueue, type RedisQueueSettings } from "../../../../src/queue/redis/driver.ts";
import { chunk, recorder } from "../../../support/queues.ts";
import { redisMissing, startRedis } from "../../../support/redis.ts";
import { until } from "../../../support/until.ts";

const hour = 3_600_000;

describe("redis queue: clocks", { skip: redisMissing() ?? false }, () => {
  const setup = async (t: TestContext) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const real = Date.now;
    const wall = { jump: 0 };
    t.mock.method(Date, "now", () => real() + wall.jump);
    const open = (more: Partial<RedisQueueSettings> = {}) => {
      const queue = openRedisQueue({ url: redis.url, now: Date.now, ...more });
      t.after(() => queue.close());
      return queue;
    };
    return { redis, wall, open };
  };

  for (const [name, jump] of [
    ["back", -hour],
    ["on", hour],
  ] as const)
    test(`the clock is set ${name} by an hour: a retry comes after its delay, and not before`, async (t) => {
      const { wall, open } = await setup(t);
      const queue = open();
      const times: number[] = [];
      const { items, handle } = recorder(({ attempt, body }) => {
        times.push(performance.now());
        return attempt === 0 ? { retry: { body, count: 1, inMs: 1200 } } : {};
      });
      queue.consume("k", handle, 2);
      await queue.push([chunk("k", "delayed")]);
      await until("delayed", async () => (await queue.depth("k")).delayed === 1);
      wall.jump = jump;
      // A worker that wakes meanwhile must not take it along.
      await queue.push([chunk("k", "other")]);
      await until("again", () => items.filter((i) => i.id === "delayed").length === 2);
      const [first = 0, second = 0] = times.filter((_, i) => items[i]?.id === "delayed");
      assert.ok(second - first >= 1190, "before its time");
    });

  test("the clock is set on by an hour: a chunk that is due later comes after its time, and not before", async (t) => {
    const { wall, open } = await setup(t);
    const queue = open();
    const { items, handle } = recorder();
    queue.consume("k", handle, 2);
    const at = performance.now();
    await queue.push([chunk("k", "later", "text", { inMs: 1200 })]);
    wall.jump = hour;
    await queue.push([chunk("k", "other")]);
    await until("both", () => items.length === 2);
    assert.ok(performance.now() - at >= 1190, "before its time");
    assert.equal(items[0]?.id, "other");
  });

  test("set back while nobody ran: a chunk that is due later does not wait for the hour", async (t) => {
    const { redis, wall, open } = await setup(t);
    const first = open();
    await first.push([chunk("k", "later", "text", { inMs: 300 })]);
    await first.close();
    wall.jump = -hour;
    await redis.command("DEL eyrie:clock");
    const { items, handle } = recorder();
    open().consume("k", handle, 1);
    await until("handed out", () => items.length === 1);
  });

  test("set back while nobody ran: the next process does not wait for the hour", async (t) => {
    const { redis, wall, open } = await setup(t);
    const first = open();
    const tried = recorder(({ body }) => ({ retry: { body, count: 1, inMs: 300 } }));
    const consumer = first.consume("k", tried.handle, 1);
    await first.push([chunk("k", "delayed")]);
    await until("tried", () => tried.items.length > 0);
    await consumer.close(1000);
    await first.close();
    wall.jump = -hour;
    // What the first process said of the time is forgotten after a while.
    await redis.command("DEL eyrie:clock");
    const queue = open();
    const { items, handle } = recorder();
    queue.consume("k", handle, 1);
    await until("again", () => items.length === 1);
  });

  test("set back while an item is in hand: its lock is renewed, and it is handed out once", async (t) => {
    const { wall, open } = await setup(t);
    const queue = open({ lockMs: 600 });
    let finish = () => {};
    const { items, handle } = recorder(() => new Promise((resolve) => (finish = () => resolve({}))));
    queue.consume("k", handle, 2);
    await queue.push([chunk("k", "long")]);
    await until("in hand", () => items.length === 1);
    wall.jump = -hour;
    // Two locks and two looks for lost ones.
    await sleep(2500);
    assert.equal(items.length, 1);
    finish();
    await until("done", async () => (await queue.depth("k")).active === 0);
  });

  test("a process that starts after the jump has the time of those that run", async (t) => {
    const { wall, open } = await setup(t);
    const first = open();
    await first.ping();
    await sleep(200);
    wall.jump = -hour;
    const second = open();
    const tried = recorder(({ body, attempt }) => (attempt === 0 ? { retry: { body, count: 1, inMs: 1200 } } : {}));
    const consumer = second.consume("k", tried.handle, 1);
    await second.push([chunk("k", "delayed")]);
    await until("delayed", async () => (await second.depth("k")).delayed === 1);
    const at = performance.now();
    await consumer.close(1000);
    const { items, handle } = recorder();
    first.consume("k", handle, 1);
    await until("handed out by the other", () => items.length === 1);
    assert.ok(performance.now() - at >= 900, "before its time");
  });
});
