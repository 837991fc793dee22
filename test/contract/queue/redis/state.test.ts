/** State in Redis through deaths of workers, a Redis that dies or is full, and clocks that are set back. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { redisQueue, redisWorker, server, spillingQueue } from "../../../support/queue-redis.ts";
import { chunk, countingHandle, recorder } from "../../../support/queues.ts";
import { seeded } from "../../../support/random.ts";
import { redisMissing } from "../../../support/redis.ts";
import { until } from "../../../support/until.ts";

describe("redis queue: state", { skip: redisMissing() ?? false }, () => {
  test("kill -9 at any moment: what is counted in the state is what was made with it, once all is settled", async (t) => {
    const redis = await server(t);
    const random = seeded(11);
    const all = 1500;
    const queue = redisQueue(t, redis, { lockMs: 300 });
    await queue.push(Array.from({ length: all }, (_, i) => chunk("k", `c${i}`, "x", { count: 2 })));
    for (let death = 0; death < 8; death++) {
      const counting = redisWorker(t, redis, "count", join(redis.dir, "handling"));
      await until("it counts", () => counting.lines() > 1);
      await sleep(random() * 100);
      await counting.kill();
      // What it had in hand is settled by another, as far as it is not settled already.
      const consumer = queue.consume("k", async () => new Promise(() => {}), 1);
      await sleep(random() * 700);
      await consumer.close(0);
      const counted = Number((await queue.state("k").get("events"))?.value ?? 0);
      assert.ok((await queue.depth("x")).waiting <= counted, `death ${death}`);
    }
    queue.consume("k", countingHandle(queue, "k", "x"), 4);
    await until("all settled", async () => !(await queue.lanes()).includes("k"));
    assert.equal((await queue.state("k").get("events"))?.value, String(2 * all));
    // The depth of a long lane is an estimate; each of its chunks has two events.
    assert.equal((await queue.depth("x")).waiting, 2 * all);
  });

  test("Redis killed and started again under load: no count is lost, none made twice", async (t) => {
    const redis = await server(t);
    const queue = redisQueue(t, redis, { lockMs: 2000 });
    await queue.push(Array.from({ length: 600 }, (_, i) => chunk("k", `c${i}`)));
    queue.consume("k", countingHandle(queue, "k", "x"), 4);
    for (const least of [100, 300]) {
      await until("it counts", async () => Number((await queue.state("k").get("events"))?.value ?? 0) > least);
      await redis.kill();
      await sleep(300);
      await redis.start();
      await until(
        "Redis is back",
        () =>
          queue.status().writable ||
          queue.ping().then(
            () => true,
            () => false,
          ),
      );
    }
    await until("all settled", async () => !(await queue.lanes()).includes("k"), 60_000);
    assert.equal((await queue.state("k").get("events"))?.value, "600");
    assert.equal((await queue.depth("x")).waiting, 600);
  });

  test("a full Redis: what it has is settled with its state, what the spill has waits for room", async (t) => {
    const redis = await server(t);
    const queue = await spillingQueue(t, redis, { retryMs: 20, stillMs: 100 });
    const push = (ids: readonly string[]) => queue.push(ids.map((id) => chunk("k", id)));
    const counted = async () => Number((await queue.state("k").get("events"))?.value ?? 0);
    await push(["a", "b", "c"]);
    await redis.command("SETRANGE filler 20000000 x");
    await redis.command("CONFIG SET maxmemory 10mb");
    await push(["d", "e"]);
    await until("spilled", () => (queue.status().spilled ?? 0) >= 2);
    queue.consume("k", countingHandle(queue, "k", "x"), 2);
    await until("what Redis has is counted", async () => (await counted()) === 3);
    // The spill has its turns meanwhile, and would deliver from the disk.
    await sleep(1000);
    assert.equal(await counted(), 3);
    await redis.command("DEL filler");
    await until("all counted", async () => (await counted()) === 5);
    await until("all moved", async () => (await queue.depth("x")).waiting === 5);
    assert.equal((await queue.depth("k")).waiting, 0);
  });

  test("set back by an hour while nobody ran: a key expires after its time nonetheless", async (t) => {
    const redis = await server(t);
    const real = Date.now;
    const wall = { jump: 0 };
    t.mock.method(Date, "now", () => real() + wall.jump);
    const first = redisQueue(t, redis);
    const { handle } = recorder(() => ({ state: [{ key: "a", value: "line\nbreak", expiresInMs: 1000 }] }));
    first.consume("k", handle, 1);
    await first.push([chunk("k", "set")]);
    await until("set", async () => (await first.state("k").get("a"))?.value === "line\nbreak");
    await first.close();
    wall.jump = -3_600_000;
    // What the first process said of the time is forgotten after a while.
    await redis.command("DEL eyrie:clock");
    const queue = redisQueue(t, redis);
    queue.consume("k", recorder().handle, 1);
    await until("expired", async () => (await queue.state("k").get("a")) === undefined);
    await until("gone", async () => (await redis.command("HLEN eyrie:{k}:state")) === ":0");
  });
});
