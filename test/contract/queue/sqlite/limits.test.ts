/** What the embedded queue does without space and with a long backlog, and that it holds what a simple model holds. */

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { type Chunk, QueueError } from "../../../../src/queue/queue.ts";
import { empty, folder, open } from "../../../support/queue-embedded.ts";
import { chunk, recorder } from "../../../support/queues.ts";
import { seeded } from "../../../support/random.ts";
import { fillUp, smallDisk, smallDiskMissing } from "../../../support/small-disk.ts";
import { until } from "../../../support/until.ts";

describe("embedded queue: no space", () => {
  test("above its size limit it refuses, and takes again when it was emptied", async (t) => {
    const queue = open(folder(t), { maxBytes: 3_000_000 });
    t.after(() => queue.close());
    let taken = 0;
    const refused = async () => {
      try {
        await queue.push([chunk("k", `c${taken}`, "x".repeat(100_000))]);
        taken++;
        return false;
      } catch (error) {
        assert.ok(error instanceof QueueError && error.kind === "full");
        return true;
      }
    };
    await until("refused", refused);
    assert.ok(taken > 10);
    await until("status says so", () => !queue.status().writable);
    await empty(queue, "k", taken);
    await until("taken again", async () => !(await refused()));
  });

  const skip = smallDiskMissing() ?? false;
  test("a full disk refuses pushes, keeps what it took, and heals without a restart", { skip }, async (t) => {
    const at = smallDisk(t, 3072);
    if (!at) return;
    const queue = open(at);
    try {
      await queue.push([chunk("k", "first")]);
      const ballast = fillUp(at);
      const taken = ["first"];
      let n = 0;
      await until("a refusal", async () => {
        const id = `big${n++}`;
        try {
          await queue.push([chunk("k", id, "x".repeat(200_000))]);
          taken.push(id);
          return false;
        } catch (error) {
          assert.ok(error instanceof QueueError && error.kind === "full", String(error));
          return true;
        }
      });
      assert.equal(queue.status().writable, false);
      rmSync(ballast);
      await until("writable again", () => queue.status().writable);
      await queue.push([chunk("k", "after")]);
      assert.deepEqual(await empty(queue, "k", taken.length + 1), [...taken, "after"]);
    } finally {
      await queue.close();
    }
  });
});

describe("embedded queue: its own rounds", () => {
  const skip = smallDiskMissing() ?? false;
  test("on a full disk dead letters that outgrow their share end no process, and go when they can", {
    skip,
  }, async (t) => {
    const at = smallDisk(t, 4096);
    if (!at) return;
    const queue = open(at, { maxBytes: 1_200_000 });
    try {
      const consumer = queue.consume("k", async ({ body }) => ({ dead: [{ body, count: 1, why: "x: y" }] }), 2);
      for (let n = 0; n < 6; n++) await queue.push([chunk("k", `d${n}`, "x".repeat(100_000))]);
      const ballast = fillUp(at);
      await until("all are dead, or wait for the disk", async () => (await queue.depth("k")).waiting === 0);
      // Two rounds, in which nothing may be thrown.
      await new Promise((resolve) => setTimeout(resolve, 2200));
      rmSync(ballast);
      await until("their share is kept", async () => (await queue.depth("k")).dead <= 3);
      await consumer.close(1000);
    } finally {
      await queue.close();
    }
  });
});

describe("embedded queue: a backlog", () => {
  test("50,000 chunks behind a dead destination stay on disk, in order, with little memory", async (t) => {
    const queue = open(folder(t));
    t.after(() => queue.close());
    const before = process.memoryUsage().rss;
    const body = "x".repeat(1400);
    for (let i = 0; i < 50_000; i += 100)
      await queue.push(Array.from({ length: 100 }, (_, k) => chunk("k", `c${i + k}`, body)));
    assert.equal((await queue.depth("k")).waiting, 50_000);
    const grown = (process.memoryUsage().rss - before) / 1024 / 1024;
    assert.ok(grown < 150, `grew by ${Math.round(grown)} MiB`);
    const ids = await empty(queue, "k", 50_000);
    assert.ok(ids.every((id, i) => id === `c${i}`));
  });

  test("a clock set back by a day does not keep a retry waiting for a day", async (t) => {
    const dir = folder(t);
    const queue = open(dir);
    await queue.push([chunk("k", "r")]);
    const { items, handle } = recorder((item) => ({ retry: { body: item.body, count: 1, inMs: 200 } }));
    const consumer = queue.consume("k", handle, 1);
    await until("tried", () => items.length === 1);
    await consumer.close(1000);
    await queue.close();
    const yesterday = open(dir, { now: () => Date.now() - 86_400_000 });
    assert.deepEqual(await empty(yesterday, "k", 1), ["r"]);
    await yesterday.close();
  });
});

describe("embedded queue against a model", () => {
  // Those above six change the lane's state with each settlement and have chunks that are due later.
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    test(`random pushes, settlements and reopenings with seed ${seed} hold exactly what the model holds`, async (t) => {
      const next = seeded(seed);
      const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
      const dir = folder(t);
      let queue = open(dir, { durability: seed % 2 ? "normal" : "full" });
      const lanes = ["a", "b", "c"];
      const model = new Map(lanes.map((l) => [l, new Map<string, { body: string; count: number; attempt: number }>()]));
      const dead = new Map(lanes.map((l) => [l, 0]));
      const taken = new Map(lanes.map((l) => [l, 0]));
      const inMs = () => (seed > 6 && next() < 0.3 ? Math.floor(next() * 20) : 0);
      let n = 0;
      for (let step = 0; step < 60; step++) {
        const what = next();
        const lane = pick(lanes);
        const held = model.get(lane)!;
        if (what < 0.45) {
          const chunks: Chunk[] = Array.from({ length: 1 + Math.floor(next() * 5) }, () => {
            const id = next() < 0.2 && held.size > 0 ? pick([...held.keys()]) : `n${n++}`;
            return chunk(lane, id, `body ${n} ${"é".repeat(Math.floor(next() * 3000))}`, {
              count: 1 + Math.floor(next() * 9),
              inMs: inMs(),
            });
          });
          await queue.push(chunks);
          for (const { id, body, count } of chunks) if (!held.has(id)) held.set(id, { body, count, attempt: 0 });
        } else if (what < 0.9) {
          const turns = Math.min(held.size, 1 + Math.floor(next() * 4));
          let left = turns;
          const consumer = queue.consume(
            lane,
            async (item) => {
              if (left <= 0) return new Promise(() => {});
              left--;
              const found = seed > 6 ? await queue.state(lane).get("taken") : undefined;
              if (seed > 6) taken.set(lane, taken.get(lane)! + 1);
              const state =
                seed > 6 ? [{ key: "taken", value: `${taken.get(lane)}`, version: found?.version ?? 0 }] : [];
              const want = held.get(item.id)!;
              assert.deepEqual([item.body, item.count, item.attempt], [want.body, want.count, want.attempt]);
              const way = next();
              if (way < 0.25) {
                const retry = { body: way < 0.1 ? item.body : `${item.body}!`, count: item.count, inMs: 0 };
                held.set(item.id, { ...retry, attempt: item.attempt + 1 });
                return { retry, state };
              }
              held.delete(item.id);
              if (way < 0.4) {
                dead.set(lane, dead.get(lane)! + item.count);
                return { dead: [{ body: item.body, count: item.count, why: "x" }], state };
              }
              if (way < 0.75) {
                const heirs = lanes.filter((l) => l !== lane && !model.get(l)!.has(`${item.id}.`));
                const children = heirs.map((l) =>
                  chunk(l, `${item.id}.`, way < 0.6 ? item.body : `${item.body}${l}`, {
                    count: item.count,
                    inMs: inMs(),
                  }),
                );
                for (const c of children) model.get(c.lane)!.set(c.id, { body: c.body, count: c.count, attempt: 0 });
                return { next: children, state };
              }
              return { state };
            },
            1,
          );
          await until("turns taken", () => left <= 0);
          await consumer.close(5);
        } else {
          await queue.close();
          queue = open(dir, { durability: seed % 2 ? "normal" : "full" });
        }
        for (const l of lanes) {
          const depth = await queue.depth(l);
          const events = [...model.get(l)!.values()].reduce((sum, c) => sum + c.count, 0);
          assert.equal(depth.waiting + depth.active + depth.delayed, events, `step ${step}, lane ${l}`);
          assert.equal(depth.dead, dead.get(l), `dead letters at step ${step}, lane ${l}`);
          const state = await queue.state(l).get("taken");
          assert.equal(Number(state?.value ?? 0), taken.get(l), `state at step ${step}, lane ${l}`);
        }
      }
      for (const l of lanes) {
        const held = model.get(l)!;
        assert.deepEqual((await empty(queue, l, held.size)).toSorted(), [...held.keys()].toSorted());
      }
      await queue.close();
      // Nothing may be left behind but dead letters: no body without a holder.
      const db = new DatabaseSync(join(dir, "queue.db"));
      assert.deepEqual(
        { ...db.prepare("SELECT (SELECT count(*) FROM body) AS b, (SELECT count(*) FROM share) AS s").get() },
        { b: 0, s: 0 },
      );
      db.close();
    });
});
