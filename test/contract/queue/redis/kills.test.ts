/** What the Redis driver makes of workers that are killed, or die of what they handle. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openHandling, poisonReason } from "../../../../src/queue/handling.ts";
import { openQueue } from "../../../../src/queue/open.ts";
import { redisQueue, server, redisWorker as worker } from "../../../support/queue-redis.ts";
import { chunk, recorder } from "../../../support/queues.ts";
import { redisMissing } from "../../../support/redis.ts";
import { until } from "../../../support/until.ts";

describe("redis queue: kills", { skip: redisMissing() ?? false }, () => {
  test("an item that five workers died of comes back each time, is put aside as poison and counted", async (t) => {
    const redis = await server(t);
    const marks = join(redis.dir, "handling");
    await redisQueue(t, redis).push([chunk("k", "killer", "text", { count: 2 })]);
    for (let death = 0; death < 5; death++) await worker(t, redis, "die", marks).gone;
    const told: unknown[] = [];
    const queue = redisQueue(t, redis, {
      lockMs: 300,
      handling: openHandling(marks),
      onDead: (...facts) => told.push(facts),
    });
    const { items, handle } = recorder();
    queue.consume("k", handle, 1);
    await until("put aside", async () => (await queue.depth("k")).dead === 2);
    assert.deepEqual(items, []);
    assert.equal((await queue.dead("k", 1))[0]!.why, poisonReason);
    await until("counted", () => told.length > 0);
    assert.deepEqual(told, [["k", "poison", 2]]);
  });

  test("kills while a destination hangs make nothing poison, however often they come", async (t) => {
    const redis = await server(t);
    const marks = join(redis.dir, "handling");
    const ids = Array.from({ length: 40 }, (_, i) => `c${i}`);
    await redisQueue(t, redis).push(ids.map((id) => chunk("k", id)));
    for (let death = 0; death < 6; death++) {
      const hanging = worker(t, redis, "hang", marks);
      await until("all in hand", () => hanging.lines() >= 40);
      // Past the turn of its event loop in which the last one was handed out.
      await sleep(200);
      await hanging.kill();
    }
    const queue = redisQueue(t, redis, { lockMs: 300, handling: openHandling(marks) });
    const { items, handle } = recorder();
    queue.consume("k", handle, 4);
    await until("all", () => new Set(items.map((i) => i.id)).size === 40);
    assert.equal((await queue.depth("k")).dead, 0);
  });

  test("kills while Redis is away make nothing of the spill poison", async (t) => {
    const redis = await server(t);
    const datadir = mkdtempSync(join(tmpdir(), "eyrie-spill-"));
    t.after(() => rmSync(datadir, { recursive: true, force: true }));
    const settings = { driver: "redis", durability: "normal", datadir, redis: { url: redis.url } } as const;
    await redis.kill();
    const first = await openQueue(settings, { now: Date.now });
    await first.push([chunk("k", "a"), chunk("k", "b")]);
    await first.close();
    for (let death = 0; death < 6; death++) {
      const away = worker(t, redis, "spill", datadir);
      await until("open", () => away.lines() > 0);
      await away.kill();
    }
    await redis.start();
    const queue = await openQueue(settings, { now: Date.now });
    t.after(() => queue.close());
    const { items, handle } = recorder();
    queue.consume("k", handle, 1);
    await until("both", () => items.length === 2);
    assert.equal((await queue.depth("k")).dead, 0);
  });

  test("a kill between a dead letter and the end of its job, then a repetition in which more is refused: every line is kept", async (t) => {
    const redis = await server(t);
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i}`);
    const queue = redisQueue(t, redis, { lockMs: 300 });
    await queue.push([chunk("k", "item", lines.join("\n"), { count: 50 })]);
    // The child's lane is of the wrong kind: the settlement gets as far as its dead letter.
    await redis.command("SET eyrie:{blocked}:wait x");
    const half = worker(t, redis, "refuse", join(redis.dir, "handling"));
    await until("a letter", async () => (await queue.depth("k")).dead === 1);
    await half.kill();
    await redis.command("DEL eyrie:{blocked}:wait");
    const { handle } = recorder(({ body }) => ({ dead: [{ body, count: 50, why: "client_error: HTTP 400" }] }));
    queue.consume("k", handle, 1);
    await until("the rest", async () => (await queue.depth("k")).dead >= 50);
    const kept = (await queue.dead("k", 10)).flatMap((letter) => letter.body.split("\n"));
    assert.deepEqual(
      lines.filter((line) => !kept.includes(line)),
      [],
    );
  });
});
