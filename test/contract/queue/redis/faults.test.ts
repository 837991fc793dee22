/** What the Redis driver and its spill do when Redis dies, hangs, is full, or would forget. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openQueue } from "../../../../src/queue/open.ts";
import { QueueError } from "../../../../src/queue/queue.ts";
import { openRedisQueue } from "../../../../src/queue/redis/driver.ts";
import { judge } from "../../../../src/queue/redis/facts.ts";
import { redisQueue, server, spillingQueue } from "../../../support/queue-redis.ts";
import { chunk, recorder } from "../../../support/queues.ts";
import { redisMissing } from "../../../support/redis.ts";
import { until } from "../../../support/until.ts";

const skip = redisMissing() ?? false;

const isRefusal = (kind: QueueError["kind"]) => (error: unknown) => error instanceof QueueError && error.kind === kind;

describe("redis queue: faults", { skip }, () => {
  test("Redis that was never there: pushes are refused, and no secret is in the reason", async (t) => {
    const queue = openRedisQueue({ url: "redis://user:canary-secret@127.0.0.1:9/0", now: Date.now });
    t.after(() => queue.close());
    await assert.rejects(queue.push([chunk("k", "a")]), (error: Error) => {
      assert.ok(!/canary|user|127/.test(`${error.stack}`.split("\n")[0]!));
      return isRefusal("unavailable")(error);
    });
    assert.equal(queue.status().writable, false);
  });

  test("Redis killed and started again under load: nothing accepted is lost and no push is refused", async (t) => {
    const redis = await server(t);
    const outages: boolean[] = [];
    const queue = await spillingQueue(t, redis, { onOutage: (away) => outages.push(away) });
    const { items, handle } = recorder((item) => ({ next: [{ ...item, lane: "out:x", id: `${item.id}>x` }] }));
    const out = recorder();
    queue.consume("alerts", handle, 4);
    queue.consume("out:x", out.handle, 4);
    const accepted: string[] = [];
    let pushing = true;
    const load = async (who: number) => {
      for (let n = 0; pushing; n++) {
        const id = `${who}-${n}`;
        await queue.push([chunk("alerts", id)]);
        accepted.push(id);
        await sleep(1);
      }
    };
    const loads = [0, 1, 2, 3].map(load);
    await until("a start", () => out.items.length > 100);
    await redis.kill();
    await until("spilling", () => (queue.status().spilled ?? 0) > 100);
    assert.equal(queue.status().writable, true);
    await redis.start();
    await until("drained", () => queue.status().spilled === 0);
    pushing = false;
    await Promise.all(loads);
    await until("all delivered", () => new Set(out.items.map((i) => i.id)).size >= accepted.length, 40_000);
    const seen = new Set(out.items.map((i) => i.id));
    assert.deepEqual(
      accepted.filter((id) => !seen.has(`${id}>x`)),
      [],
    );
    assert.deepEqual(outages.slice(0, 2), [true, false]);
    assert.ok(items.length >= accepted.length);
  });

  test("Redis frozen for five seconds: pushes are taken by the spill and everything arrives", async (t) => {
    const redis = await server(t);
    const queue = await spillingQueue(t, redis);
    const { items, handle } = recorder();
    queue.consume("k", handle, 2);
    await queue.push([chunk("k", "before")]);
    await until("before", () => items.length === 1);
    redis.freeze();
    t.after(() => redis.thaw());
    const ids = Array.from({ length: 50 }, (_, i) => `f${i}`);
    await Promise.all(ids.map((id) => queue.push([chunk("k", id)])));
    assert.ok((queue.status().spilled ?? 0) >= 50);
    await sleep(5000);
    redis.thaw();
    await until("all", () => new Set(items.map((i) => i.id)).size === 51);
    await until("spill empty", () => queue.status().spilled === 0);
    // A push that Redis took while nobody saw its answer is in the spill too: its id tells them apart.
    await sleep(200);
    assert.equal(items.length, 51);
  });

  test("what was spilled before a restart of the hub is moved after it, in order", async (t) => {
    const redis = await server(t);
    const datadir = mkdtempSync(join(tmpdir(), "eyrie-spill-"));
    t.after(() => rmSync(datadir, { recursive: true, force: true }));
    const settings = { driver: "redis", durability: "normal", datadir, redis: { url: redis.url } } as const;
    await redis.kill();
    const first = await openQueue(settings, { now: Date.now });
    for (let i = 0; i < 20; i++) await first.push([chunk("k", `s${i}`)]);
    assert.equal(first.status().spilled, 20);
    await first.close();
    await redis.start();
    const second = await openQueue(settings, { now: Date.now });
    t.after(() => second.close());
    const { items, handle } = recorder();
    second.consume("k", handle, 1);
    await until("all", () => items.length === 20);
    assert.deepEqual(
      items.map((i) => i.id),
      Array.from({ length: 20 }, (_, i) => `s${i}`),
    );
    await until("spill empty", () => second.status().spilled === 0);
  });

  test("an evicting Redis, or one without its append-only file, is not called durable", async (t) => {
    const redis = await server(t, ["--appendonly", "no", "--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"]);
    const queue = redisQueue(t, redis);
    await until("read", () => !queue.status().durable);
    const text = queue.status().warnings.join("\n");
    assert.match(text, /maxmemory-policy is allkeys-lru/);
    assert.match(text, /appendonly is off/);
    const good = redisQueue(t, await server(t));
    await good.ping();
    await sleep(100);
    assert.deepEqual([good.status().durable, good.status().warnings], [true, []]);
  });

  test("full durability asks for appendfsync always; what cannot be read is a warning", () => {
    const info = "maxmemory_policy:noeviction\r\naof_enabled:1\r\naof_last_write_status:ok\r\n";
    assert.equal(judge(info, true, "always").durable, true);
    assert.equal(judge(info, true, "everysec").durable, false);
    assert.deepEqual([judge(info, true, undefined).durable, judge(info, true, undefined).warnings.length], [true, 1]);
    assert.equal(judge("", false, undefined).warnings.length, 2);
  });

  test("Redis out of memory: refused as full, and the same push is taken once when there is room", async (t) => {
    const redis = await server(t, ["--appendonly", "yes", "--maxmemory", "5mb"]);
    const queue = redisQueue(t, redis);
    // Incompressible, and each another: Redis holds what it is sent.
    const makeBody = () => randomBytes(150_000).toString("base64");
    let body = makeBody();
    let n = 0;
    await until("refused", async () => {
      try {
        await queue.push([chunk("k", `c${n}`, body)]);
        n++;
        body = makeBody();
        return false;
      } catch (error) {
        assert.ok(isRefusal("full")(error), String(error));
        return true;
      }
    });
    await redis.command("CONFIG SET maxmemory 100mb");
    await queue.push([chunk("k", `c${n}`, body)]);
    await queue.push([chunk("k", `c${n}`, body)]);
    assert.equal((await queue.depth("k")).waiting, n + 1);
  });

  test("a child pushed again shortly after it was finished is not delivered twice", async (t) => {
    const queue = redisQueue(t, await server(t));
    const { items, handle } = recorder();
    queue.consume("k", handle, 1);
    await queue.push([chunk("k", "once")]);
    await until("done", () => items.length === 1);
    await sleep(100);
    await queue.push([chunk("k", "once"), chunk("k", "other")]);
    await until("the other", () => items.some((i) => i.id === "other"));
    assert.deepEqual(
      items.map((i) => i.id),
      ["once", "other"],
    );
  });

  test("a worker that stopped fetching is replaced and counted", async (t) => {
    const redis = await server(t);
    const replaced: string[] = [];
    const queue = redisQueue(t, redis, { stuckMs: 300, onReplaced: (lane) => replaced.push(lane) });
    const { items, handle } = recorder();
    queue.consume("k", handle, 1);
    await queue.push([chunk("k", "first")]);
    await until("first", () => items.length === 1);
    // A job without the mark that wakes a sleeping worker: as if its blocking read were lost.
    await sleep(50);
    const base = "eyrie:{k}:";
    await redis.command(`RPUSH ${base}wait estray`);
    await redis.command(
      `HSET ${base}estray name 1 data '{"b":"stray","n":1,"t":1,"a":0}' opts '{}' timestamp 1 delay 0 priority 0`,
    );
    await until("fetched", () => items.length === 2);
    assert.equal(items[1]!.body, "stray");
    assert.deepEqual(replaced, ["k"]);
    assert.ok(queue.status().warnings.some((w) => w.includes("replaced")));
  });
});
