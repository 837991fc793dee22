/** Reading a damaged queue file back is interrupted, has no room, or happens under way: its source is never touched. */

import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  copyQueue,
  drainAll,
  flows,
  harm,
  harmBlocks,
  judge,
  lanes,
  makeBase,
  quick,
} from "../../../support/queue-damage.ts";
import { folder, open } from "../../../support/queue-embedded.ts";
import { child } from "../../../support/queue-process.ts";
import { chunk, recorder } from "../../../support/queues.ts";
import { seeded } from "../../../support/random.ts";
import { fillUp, smallDisk, smallDiskMissing } from "../../../support/small-disk.ts";
import { until } from "../../../support/until.ts";

const megabyte = 2 ** 20;

describe("embedded queue: reading a damaged file back", () => {
  test("killed at random moments it goes on where it was: nothing is lost, and the source stays as it was", async (t) => {
    const base = await makeBase(folder(t, quick), 6 * megabyte, 3000, true);
    for (let seed = 5; seed <= 8; seed++) {
      const dir = join(folder(t, quick), "queue");
      copyQueue(base.dir, dir);
      harmBlocks(join(dir, "queue.db"), seed);
      const random = seeded(seed);
      const delivered: string[] = [];
      for (let kill = 0; kill < 5; kill++) {
        const process = child(t, dir, "drain");
        await until("started", () => process.lines.length > 0, 60_000);
        await sleep(random() * 250);
        await process.kill();
        delivered.push(...process.lines.filter((line) => line.startsWith("out:")));
      }
      const queue = open(dir);
      const got = await drainAll(queue);
      for (const line of delivered) {
        const lane = lanes.find((l) => line.startsWith(`${l} `)) as string;
        got.get(lane)?.set(line.slice(lane.length + 1), 1);
      }
      await judge(queue, base, got, `seed ${seed}`);
      await queue.close();
      const aside = readdirSync(dir).filter((name) => /\.corrupt-\d+$/.test(name));
      assert.equal(aside.length, 1, "one original, however often it was begun");
    }
  });

  for (const [name, spare] of [
    ["without room for a copy everything readable is delivered", 1536],
    ["without a free byte everything readable is delivered", 0],
  ] as const) {
    test(name, { skip: smallDiskMissing() ?? false }, async (t) => {
      const base = await makeBase(folder(t, quick), 6 * megabyte, 3000, true);
      const bytes = readdirSync(base.dir).reduce((sum, file) => sum + statSync(join(base.dir, file)).size, 0);
      const disk = smallDisk(t, Math.ceil(bytes / 1024) + 1536);
      if (!disk) return;
      const dir = join(disk, "queue");
      copyQueue(base.dir, dir);
      harmBlocks(join(dir, "queue.db"), 5);
      if (spare === 0) fillUp(disk);
      const queue = open(dir);
      t.after(() => queue.close());
      const got = new Map(lanes.map((lane) => [lane as string, new Map<string, number>()]));
      const consumers = lanes.map((lane) =>
        queue.consume(
          lane,
          async ({ id }) => {
            got.get(lane)?.set(id, 1);
            return {};
          },
          4,
        ),
      );
      await until("it is read back", () => queue.status().damaged?.reading === false, 60_000);
      const depths = async () => Promise.all(lanes.map((lane) => queue.depth(lane)));
      await until("delivered", async () => (await depths()).every((d) => d.waiting + d.active + d.delayed === 0));
      await Promise.all(consumers.map((c) => c.close(1000)));
      await judge(queue, base, got, name);
    });
  }

  test("bodies that share a page and have no room together come back one at a time", {
    skip: smallDiskMissing() ?? false,
  }, async (t) => {
    const made = folder(t, quick);
    const first = open(made);
    // So long that only a kilobyte of each stands in the page that names it: eight share one.
    const body = "x".repeat(1003 + 40 * 8188 - 500);
    const ids = Array.from({ length: 16 }, (_, i) => `c${i}`);
    await first.push(ids.map((id) => chunk("out:a", id, body.slice(id.length) + id)));
    await first.close();
    const disk = smallDisk(t, Math.ceil(statSync(join(made, "queue.db")).size / 1024) + 2560);
    if (!disk) return;
    const dir = join(disk, "queue");
    copyQueue(made, dir);
    const file = join(dir, "queue.db");
    harm(file, statSync(file).size - 10 * 8192, 4096);
    const queue = open(dir);
    t.after(() => queue.close());
    const { items, handle } = recorder();
    const consumer = queue.consume("out:a", handle, 1);
    await until("it is read back", () => queue.status().damaged?.reading === false, 60_000);
    await until("delivered", async () => (await queue.depth("out:a")).waiting === 0);
    await consumer.close(1000);
    assert.equal(items.length, 15);
    assert.deepEqual(queue.status().damaged?.lost, { "out:a": 1 });
  });

  test("a file that is damaged while it is in use makes way at once; what is in hand is not delivered twice", async (t) => {
    const dir = folder(t, quick);
    const queue = open(dir);
    t.after(() => queue.close());
    const ids = Array.from({ length: 3000 }, (_, i) => `c${i}`);
    const body = "x".repeat(3000);
    for (let at = 0; at < ids.length; at += 100)
      await queue.push(ids.slice(at, at + 100).map((id) => chunk("out:a", id, `${id} ${body}`)));
    const got = new Map<string, number>();
    const held: (() => void)[] = [];
    const consumer = queue.consume(
      "out:a",
      async ({ id }) => {
        got.set(id, (got.get(id) ?? 0) + 1);
        if (got.size % 500 === 0) await new Promise<void>((resolve) => held.push(resolve));
        return {};
      },
      2,
    );
    await until("two are held", () => held.length === 2);
    const file = join(dir, "queue.db");
    for (let at = Math.ceil(statSync(file).size / 16384) * 8192; at < statSync(file).size; at += 40 * 8192)
      harm(file, at, 8192, at);
    for (const release of held) release();
    const free = setInterval(() => {
      for (const release of held.splice(0)) release();
    }, 20);
    await flows(queue, () => got.has("fresh"));
    const done = async () => (await queue.depth("out:a")).waiting + (await queue.depth("out:a")).active === 0;
    await until("all is delivered", async () => !queue.status().damaged?.reading && (await done()), 30_000);
    clearInterval(free);
    await consumer.close(1000);
    const missing = ids.filter((id) => !got.has(id)).length;
    assert.deepEqual(
      [...got].filter(([, times]) => times > 1),
      [],
      "delivered twice",
    );
    const letters = (await queue.depth("out:a")).dead;
    assert.equal((queue.status().damaged?.lost["out:a"] ?? 0) + letters, missing);
    assert.ok(missing > 0 && missing < 300, `${missing} of ${ids.length} were on damaged pages`);
  });
});
