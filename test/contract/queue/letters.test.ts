/** Dead letters keep within their room: the oldest go, as many as need be and no more, and every event of them is told. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { Queue } from "../../../src/queue/queue.ts";
import { openRedisQueue } from "../../../src/queue/redis/driver.ts";
import { openSpillingQueue } from "../../../src/queue/spill.ts";
import { openSqliteQueue } from "../../../src/queue/sqlite/driver.ts";
import { folder, open } from "../../support/queue-embedded.ts";
import { chunk } from "../../support/queues.ts";
import { redisMissing, startRedis } from "../../support/redis.ts";
import { until } from "../../support/until.ts";

const skip = redisMissing() ?? false;
const quarter = 1 << 20;

interface Kept {
  readonly queue: Queue;
  readonly dropped: Map<string, number>;
  /** Buries letters of this size one after the other. */
  bury(lane: string, ids: readonly string[], bytes: number): Promise<void>;
  ids(lane: string): Promise<readonly string[]>;
}

const keep = (t: TestContext, queue: Queue, dropped: Map<string, number>): Kept => {
  const consuming = new Set<string>();
  return {
    queue,
    dropped,
    bury: async (lane, ids, bytes) => {
      if (!consuming.has(lane)) {
        const handle = async (item: { body: string; count: number }) => ({
          dead: [{ body: item.body, count: item.count, why: "client_error: HTTP 400" }],
        });
        const consumer = queue.consume(lane, handle, 1);
        t.after(() => consumer.close(0));
        consuming.add(lane);
      }
      for (const id of ids) await queue.push([chunk(lane, id, "ä".repeat(bytes / 2), { count: 2 })]);
      await until("all are settled", async () => {
        const { waiting, active, delayed } = await queue.depth(lane);
        return waiting + active + delayed === 0;
      });
    },
    ids: async (lane) => (await queue.dead(lane, 10_000)).map(({ id }) => id.split("~")[0] ?? ""),
  };
};

const names = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `l${from + i}`);

describe("dead letters of the embedded queue", () => {
  test("a few more than there is room for push out as many of the oldest, across lanes, and no others", async (t) => {
    const dropped = new Map<string, number>();
    const onDropped = (lane: string, n: number) => void dropped.set(lane, (dropped.get(lane) ?? 0) + n);
    const queue = open(folder(t), { maxBytes: 4 * quarter, onDropped });
    t.after(() => queue.close());
    const { bury, ids } = keep(t, queue, dropped);
    await bury("old", names(0, 10), 4096);
    await bury("k", names(10, 256), 4096);
    assert.deepEqual((await ids("old")).length + (await ids("k")).length, 256);
    await bury("k", names(256, 262), 4096);
    await until("trimmed", () => dropped.size > 0);
    assert.deepEqual(await ids("old"), names(6, 10));
    assert.deepEqual(await ids("k"), names(10, 262));
    assert.deepEqual([...dropped], [["old", 12]]);
    assert.match(queue.status().warnings.join(), /12 events in dead letters were dropped/);
  });

  test("one that no room would be enough for goes itself, and pushes out no other", async (t) => {
    const dropped = new Map<string, number>();
    const queue = open(folder(t), { maxBytes: 4 * quarter, onDropped: (lane, n) => void dropped.set(lane, n) });
    t.after(() => queue.close());
    const { bury, ids } = keep(t, queue, dropped);
    await bury("k", names(0, 20), 4096);
    await bury("k", ["huge"], quarter + 4096);
    await until("trimmed", () => dropped.size > 0);
    assert.deepEqual(await ids("k"), names(0, 20));
    assert.deepEqual([...dropped], [["k", 2]]);
  });

  test("the dead do not keep out the living: room is made when a push needs it", async (t) => {
    let dropped = 0;
    const queue = open(folder(t), { maxBytes: 4 * quarter, onDropped: () => dropped++ });
    t.after(() => queue.close());
    const { bury } = keep(t, queue, new Map());
    // Faster than the room is looked at.
    for (let i = 0; i < 30; i++) await bury("k", [`l${i}`], 200_000);
    await queue.push([chunk("other", "living", "x")]);
    assert.ok(dropped > 0);
    assert.ok(queue.status().writable);
  });
});

describe("dead letters in Redis", { skip }, () => {
  const onRedis = async (t: TestContext, bounds: { letters?: number; letterBytes?: number }): Promise<Kept> => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const dropped = new Map<string, number>();
    const onDropped = (lane: string, n: number) => void dropped.set(lane, (dropped.get(lane) ?? 0) + n);
    const queue = openRedisQueue({ url: redis.url, now: Date.now, ...bounds, onDropped });
    t.after(() => queue.close());
    return keep(t, queue, dropped);
  };

  test("a lane keeps so many letters, the newest, and no fewer", async (t) => {
    const { bury, ids, dropped } = await onRedis(t, { letters: 10 });
    await bury("k", names(0, 13), 10);
    assert.deepEqual(await ids("k"), names(3, 13));
    assert.deepEqual([...dropped], [["k", 6]]);
  });

  test("and so many bytes; one larger than all of them goes itself; room that was given back is used again", async (t) => {
    const { bury, ids, dropped, queue } = await onRedis(t, { letterBytes: 50_000 });
    // Each a little more than its body: ten do not fit.
    await bury("k", names(0, 9), 5000);
    await bury("k", ["huge"], 60_000);
    assert.deepEqual(await ids("k"), names(0, 9));
    await bury("k", names(9, 12), 5000);
    assert.deepEqual(await ids("k"), names(3, 12));
    assert.deepEqual([...dropped], [["k", 2 + 6]]);
    const gone = (await queue.dead("k", 4)).map(({ id }) => id);
    assert.equal(await queue.discard("k", gone), 4);
    await bury("k", names(12, 16), 5000);
    assert.deepEqual(await ids("k"), names(7, 16));
    assert.equal((await queue.depth("k")).dead, 18);
  });

  test("letters of the spill are listed, sent again and thrown away beside those of Redis", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const dir = mkdtempSync(join(tmpdir(), "eyrie-spill-"));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const local = openSqliteQueue({ dir, durability: "normal", now: Date.now });
    const inSpill = keep(t, local, new Map());
    await inSpill.bury("k", ["s1", "s2", "s3"], 100);
    await local.close();
    const open = openSqliteQueue({ dir, durability: "normal", now: Date.now });
    const queue = await openSpillingQueue(openRedisQueue({ url: redis.url, now: Date.now }), open);
    t.after(() => queue.close());
    const { bury } = keep(t, queue, new Map());
    await bury("k", ["r1", "r2"], 100);
    const pages: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await queue.dead("k", 2, after);
      pages.push(...page.map(({ id }) => id.split("~")[0] ?? ""));
      after = page.at(-1)?.id;
      if (page.length < 2) break;
    }
    assert.deepEqual(pages, ["r1", "r2", "s1", "s2", "s3"]);
    const [s1] = (await queue.dead("k", 10)).slice(2);
    assert.equal(await queue.discard("k", [s1?.id ?? ""]), 1);
    assert.equal((await queue.depth("k")).dead, 8);
  });
});
