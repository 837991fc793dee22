/** What the embedded queue does when processes die. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { poisonReason } from "../../../../src/queue/handling.ts";
import { QueueError } from "../../../../src/queue/queue.ts";
import { empty, folder, open } from "../../../support/queue-embedded.ts";
import { child } from "../../../support/queue-process.ts";
import { chunk, recorder } from "../../../support/queues.ts";
import { until } from "../../../support/until.ts";

describe("embedded queue: processes die", () => {
  test("kill -9 while pushing loses nothing that was accepted", async (t) => {
    const dir = folder(t);
    for (let round = 0; round < 3; round++) {
      const pusher = child(t, dir, "push", "100000");
      await until("some accepted", () => pusher.lines.length > 200 * (round + 1));
      await pusher.kill();
      const queue = open(dir);
      const { waiting } = await queue.depth("k");
      const ids = new Set(await empty(queue, "k", waiting));
      assert.deepEqual(
        pusher.lines.filter((id) => !ids.has(id)),
        [],
      );
      await queue.close();
      assert.deepEqual(
        readdirSync(dir).filter((name) => name.includes(".corrupt-")),
        [],
        "a death is no damage",
      );
    }
  });

  test("kill -9 while routing leaves every chunk in its lane or in both of its children's", async (t) => {
    const dir = folder(t);
    const filled = open(dir);
    const all = Array.from({ length: 3000 }, (_, i) => `c${i}`);
    await filled.push(all.map((id) => chunk("k", id)));
    await filled.close();
    const router = child(t, dir, "route");
    await until("open", () => router.lines.length > 0);
    await router.kill();
    const queue = open(dir);
    const ids = await Promise.all(["k", "x", "y"].map(async (l) => empty(queue, l, (await queue.depth(l)).waiting)));
    assert.deepEqual([...ids[0]!, ...ids[1]!].sort(), all.toSorted());
    assert.deepEqual(ids[1]!.toSorted(), ids[2]!.toSorted());
    await queue.close();
  });

  test("kill -9 while chunks wait for their time: each that was accepted comes, and none before its time", async (t) => {
    const dir = folder(t);
    const start = performance.now();
    const pusher = child(t, dir, "later", "1500");
    await until("some accepted", () => pusher.lines.length > 100);
    await pusher.kill();
    const queue = open(dir);
    t.after(() => queue.close());
    const { delayed, waiting } = await queue.depth("k");
    assert.ok(delayed >= pusher.lines.length && waiting === 0, `${delayed} delayed, ${waiting} waiting`);
    const ids = new Set(await empty(queue, "k", delayed));
    assert.ok(performance.now() - start >= 1500, "before its time");
    assert.deepEqual(
      pusher.lines.filter((id) => !ids.has(id)),
      [],
    );
  });

  test("kills while a destination hangs make nothing poison, however often they come", async (t) => {
    const dir = folder(t);
    const first = open(dir);
    await first.push(Array.from({ length: 40 }, (_, i) => chunk("k", `c${i}`)));
    await first.close();
    for (let death = 0; death < 7; death++) {
      const hanging = child(t, dir, "hang");
      await until("all in hand", () => hanging.lines.length === 40);
      // Past the turn of its event loop in which the last one was handed out.
      await sleep(200);
      await hanging.kill();
    }
    const queue = open(dir);
    assert.deepEqual(await queue.depth("k").then(({ waiting, dead }) => ({ waiting, dead })), { waiting: 40, dead: 0 });
    assert.equal((await empty(queue, "k", 40)).length, 40);
    await queue.close();
  });

  test("an item that five processes died of is put aside as poison, counted, and others go on", async (t) => {
    const dir = folder(t);
    const first = open(dir);
    await first.push([chunk("k", "killer", "text", { count: 3 }), chunk("k", "fine")]);
    await first.close();
    for (let death = 0; death < 5; death++) await child(t, dir, "die").gone;
    const told: unknown[] = [];
    const queue = open(dir, { onDead: (...facts) => told.push(facts) });
    const letters = await queue.dead("k", 10);
    assert.deepEqual(
      letters.map((l) => [l.body, l.count, l.why]),
      [["text", 3, poisonReason]],
    );
    assert.deepEqual(told, [["k", "poison", 3]]);
    assert.ok(queue.status().warnings.some((w) => w.includes("poison")));
    assert.deepEqual(await empty(queue, "k", 1), ["fine"]);
    await queue.close();
  });

  test("an item that a process died of is in hand alone; having lived through that it is like any other", async (t) => {
    const dir = folder(t);
    const first = open(dir);
    await first.push(["suspect", "b", "c"].map((id) => chunk("k", id)));
    await first.close();
    await child(t, dir, "die").gone;
    const queue = open(dir);
    let [inHand, most] = [0, 0];
    const beside: number[] = [];
    const { items, handle } = recorder(async (item) => {
      most = Math.max(most, ++inHand);
      if (item.alone) beside.push(inHand);
      await sleep(20);
      if (item.alone) beside.push(inHand);
      inHand--;
      return item.id === "suspect" && item.attempt === 0 ? { retry: { body: item.body, count: 1, inMs: 1 } } : {};
    });
    queue.consume("k", handle, 4);
    await until("all", () => items.length === 4);
    assert.deepEqual([beside, items.at(-1)?.id, items.at(-1)?.alone, most > 1], [[1, 1], "suspect", undefined, true]);
    await queue.close();
  });

  test("the first chunk after a restart is handed out though its lane was not looked through before it came", async (t) => {
    const dir = folder(t);
    const before = open(dir);
    await before.push([chunk("a", "old")]);
    assert.deepEqual(await empty(before, "a", 1), ["old"]);
    await before.close();
    const queue = open(dir);
    t.after(() => queue.close());
    const got: string[] = [];
    queue.consume(
      "a",
      async ({ id }) => {
        got.push(id);
        return {};
      },
      1,
    );
    await queue.push([chunk("a", "first")]);
    await until("it is handed out", () => got.includes("first"));
  });

  test("one process owns the directory, and a dead one's lock does not count", async (t) => {
    const dir = folder(t);
    const holder = child(t, dir, "hold");
    await until("open", () => holder.lines.length > 0);
    assert.throws(
      () => open(dir),
      (e) => e instanceof QueueError && e.kind === "unavailable",
    );
    await holder.kill();
    const queue = open(dir);
    assert.throws(
      () => open(dir),
      (e) => e instanceof QueueError && e.kind === "unavailable",
    );
    await queue.close();
  });
});
