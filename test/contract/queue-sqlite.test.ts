/** What the embedded queue does when processes die and files are damaged. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { poisonReason } from "../../src/queue/handling.ts";
import { QueueError } from "../../src/queue/queue.ts";
import { empty, folder, open } from "../support/queue-embedded.ts";
import { child } from "../support/queue-process.ts";
import { chunk, recorder } from "../support/queues.ts";
import { until } from "../support/until.ts";

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

describe("embedded queue: damaged files", () => {
  /** A queue with n chunks whose process died: the log was not folded into the file. */
  async function leave(dir: string, n: number, folded: boolean): Promise<void> {
    const queue = open(dir);
    for (let i = 0; i < n; i++) await queue.push([chunk("k", `c${i}`, `body ${i} `.repeat(50))]);
    if (folded) return queue.close();
    // A copy of the live files is what a kill leaves behind.
    const files = ["queue.db", "queue.db-wal"].map((f) => [f, readFileSync(join(dir, f))] as const);
    await queue.close();
    for (const [name, bytes] of files) writeFileSync(join(dir, name), bytes);
  }
  /** What is read back follows the start where that takes long. */
  async function openRead(dir: string) {
    const queue = open(dir);
    await until("read back", () => !queue.status().damaged?.reading);
    return queue;
  }
  const flip = (file: string, at: number) => {
    const bytes = readFileSync(file);
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    writeFileSync(file, bytes);
  };
  const quarantined = (dir: string) => readdirSync(dir).filter((f) => /\.corrupt-[\d-]*\d$/.test(f));

  test("garbage in place of the file: kept aside, named, and the queue starts", async (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, "queue.db"), "this is no database ".repeat(1000));
    const queue = await openRead(dir);
    assert.equal(quarantined(dir).length, 1);
    assert.ok(queue.status().warnings[0]!.includes(quarantined(dir)[0]!));
    await queue.push([chunk("k", "a")]);
    assert.deepEqual(await empty(queue, "k", 1), ["a"]);
    await queue.close();
  });

  test("a zero-length file starts as an empty queue", async (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, "queue.db"), "");
    const queue = open(dir);
    assert.deepEqual(queue.status().warnings, []);
    await queue.close();
  });

  test("a torn last frame of the log loses only the last write", async (t) => {
    const dir = folder(t);
    await leave(dir, 40, false);
    const wal = join(dir, "queue.db-wal");
    truncateSync(wal, readFileSync(wal).length - 4000);
    const queue = await openRead(dir);
    assert.equal(quarantined(dir).length, 1);
    const { waiting } = await queue.depth("k");
    assert.ok(waiting >= 39, `${waiting} of 40`);
    assert.equal(queue.status().damaged?.lost.k ?? 0, 40 - waiting);
    await queue.close();
  });

  test("a flipped byte in the middle of the log does not hide what was written after it", async (t) => {
    const dir = folder(t);
    await leave(dir, 60, false);
    const wal = join(dir, "queue.db-wal");
    flip(wal, 32 + Math.floor(readFileSync(wal).length / 2 / 8216) * 8216 + 4000);
    const queue = await openRead(dir);
    assert.equal(quarantined(dir).length, 1);
    const { waiting } = await queue.depth("k");
    assert.ok(waiting >= 59, `${waiting} of 60`);
    const ids = await empty(queue, "k", waiting);
    assert.ok(ids.includes("c59") && ids.includes("c0"));
    await queue.close();
  });

  test("a damaged header of the log does not hide what stands in it", async (t) => {
    for (const at of [0, 9, 17, 25]) {
      const dir = folder(t);
      await leave(dir, 60, false);
      flip(join(dir, "queue.db-wal"), at);
      const queue = await openRead(dir);
      assert.equal(quarantined(dir).length, 1, `byte ${at}`);
      const { waiting } = await queue.depth("k");
      assert.equal(waiting, 60, `byte ${at}`);
      await queue.close();
    }
  });

  test("a log that is garbage, gone, or left alone by its file is named", async (t) => {
    const damage: Record<string, (file: string) => void> = {
      garbage: (file) => writeFileSync(`${file}-wal`, Buffer.alloc(50_000, 7)),
      zeros: (file) => writeFileSync(`${file}-wal`, Buffer.alloc(50_000)),
      gone: (file) => rmSync(`${file}-wal`),
      alone: (file) => truncateSync(file, 0),
    };
    for (const [name, harm] of Object.entries(damage)) {
      const dir = folder(t);
      await leave(dir, 60, false);
      harm(join(dir, "queue.db"));
      const queue = await openRead(dir);
      assert.match(queue.status().warnings[0] ?? "", /damaged and is kept/, name);
      await queue.push([chunk("k", "fresh")]);
      const { waiting } = await queue.depth("k");
      assert.equal(waiting - 1 + (queue.status().damaged?.lost.k ?? 0), 60, name);
      assert.ok((await empty(queue, "k", waiting)).includes("fresh"));
      await queue.close();
      const again = open(dir);
      assert.match(again.status().warnings[0] ?? "", /until it is deleted/, `${name}: said until it is released`);
      await again.close();
      for (const kept of readdirSync(dir)) if (kept.includes(".corrupt-")) rmSync(join(dir, kept));
      const released = open(dir);
      assert.deepEqual(released.status().warnings, [], `${name}: released`);
      await released.close();
    }
  });

  test("overwritten pages cost what was on them and no more", async (t) => {
    const dir = folder(t);
    await leave(dir, 400, true);
    const file = join(dir, "queue.db");
    const bytes = readFileSync(file);
    bytes.fill(0xa5, Math.floor(bytes.length / 8192 / 2) * 8192, Math.floor(bytes.length / 8192 / 2) * 8192 + 8192);
    writeFileSync(file, bytes);
    const queue = await openRead(dir);
    assert.equal(quarantined(dir).length, 1);
    assert.match(queue.status().warnings[0]!, /were saved/);
    const { waiting } = await queue.depth("k");
    assert.ok(waiting > 300, `${waiting} of 400`);
    const ids = await empty(queue, "k", waiting);
    assert.ok(ids.includes("c0") && ids.includes("c399"));
    await queue.close();
  });

  test("a flipped byte inside a body is noticed, counted and not delivered", async (t) => {
    const dir = folder(t);
    await leave(dir, 3, true);
    const file = join(dir, "queue.db");
    flip(file, readFileSync(file).indexOf("body 1 body 1") + 5);
    const queue = open(dir);
    assert.deepEqual(await empty(queue, "k", 2), ["c0", "c2"]);
    await until("counted", async () => (await queue.depth("k")).dead === 1);
    assert.match((await queue.dead("k", 1))[0]!.why, /^corrupt/);
    assert.ok(queue.status().warnings.some((w) => w.includes("unreadable")));
    await queue.close();
  });

  test("a garbage lock file is no obstacle", async (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, "queue.lock"), "x".repeat(5000));
    await open(dir).close();
  });
});
