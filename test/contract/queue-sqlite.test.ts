/** What the embedded queue does when processes die, files are damaged and disks are full. */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, type TestContext, test } from "node:test";
import type { Chunk, Queue } from "../../src/queue/queue.ts";
import { QueueError } from "../../src/queue/queue.ts";
import { openSqliteQueue, type SqliteSettings } from "../../src/queue/sqlite.ts";
import { chunk, recorder, until } from "../support/queues.ts";

const childFile = join(import.meta.dirname, "../support/queue-child.ts");

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "eyrie-queue-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const open = (dir: string, more: Partial<SqliteSettings> = {}) =>
  openSqliteQueue({ dir, durability: "normal", now: Date.now, throwDelayMs: 10, ...more });

function child(t: TestContext, ...args: string[]) {
  const process_ = spawn(process.execPath, [childFile, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => process_.kill("SIGKILL"));
  const lines: string[] = [];
  createInterface({ input: process_.stdout }).on("line", (line) => lines.push(line));
  const gone = once(process_, "close");
  const kill = async () => {
    process_.kill("SIGKILL");
    await gone;
  };
  return { lines, gone, kill };
}

/** Everything a lane holds, in order. */
async function empty(queue: Queue, lane: string, expected: number): Promise<string[]> {
  const { items, handle } = recorder();
  const consumer = queue.consume(lane, handle, 1);
  await until(`${expected} items`, () => items.length >= expected);
  await consumer.close(1000);
  return items.map((i) => i.id);
}

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

  test("an item in hand at five process deaths is put aside as poison, others go on", async (t) => {
    const dir = folder(t);
    const first = open(dir);
    await first.push([chunk("k", "killer", "text", { count: 3 }), chunk("k", "fine")]);
    await first.close();
    for (let death = 0; death < 5; death++) await child(t, dir, "die").gone;
    const queue = open(dir);
    const letters = await queue.dead("k", 10);
    assert.deepEqual(
      letters.map((l) => [l.body, l.count, l.why]),
      [["text", 3, "poison: in hand at five process deaths"]],
    );
    assert.ok(queue.status().warnings.some((w) => w.includes("process deaths")));
    assert.deepEqual(await empty(queue, "k", 1), ["fine"]);
    await queue.close();
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
  const flip = (file: string, at: number) => {
    const bytes = readFileSync(file);
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    writeFileSync(file, bytes);
  };
  const quarantined = (dir: string) => readdirSync(dir).filter((f) => f.includes(".corrupt-"));

  test("garbage in place of the file: kept aside, named, and the queue starts", async (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, "queue.db"), "this is no database ".repeat(1000));
    const queue = open(dir);
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
    const queue = open(dir);
    assert.deepEqual(quarantined(dir), []);
    const { waiting } = await queue.depth("k");
    assert.ok(waiting >= 39, `${waiting} of 40`);
    await queue.close();
  });

  test("a flipped byte in the middle of the log does not hide what was written after it", async (t) => {
    const dir = folder(t);
    await leave(dir, 60, false);
    const wal = join(dir, "queue.db-wal");
    flip(wal, 32 + Math.floor(readFileSync(wal).length / 2 / 8216) * 8216 + 4000);
    const queue = open(dir);
    assert.equal(quarantined(dir).length, 2);
    const { waiting } = await queue.depth("k");
    assert.ok(waiting >= 59, `${waiting} of 60`);
    const ids = await empty(queue, "k", waiting);
    assert.ok(ids.includes("c59") && ids.includes("c0"));
    await queue.close();
  });

  test("overwritten pages cost what was on them and no more", async (t) => {
    const dir = folder(t);
    await leave(dir, 400, true);
    const file = join(dir, "queue.db");
    const bytes = readFileSync(file);
    bytes.fill(0xa5, Math.floor(bytes.length / 8192 / 2) * 8192, Math.floor(bytes.length / 8192 / 2) * 8192 + 8192);
    writeFileSync(file, bytes);
    const queue = open(dir);
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

  const dir = "/tmp/eyrie-full-disk";
  const root = process.platform === "linux" && process.getuid?.() === 0;
  let skip: string | false = root ? false : "needs root to mount a small tmpfs";
  if (root) {
    try {
      execFileSync("mount", ["--help"], { stdio: "ignore" });
    } catch {
      skip = "no mount program";
    }
  }
  test("a full disk refuses pushes, keeps what it took, and heals without a restart", { skip }, async (t) => {
    const at = mkdtempSync(`${dir}-`);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", at], { stdio: "pipe" });
    } catch {
      rmSync(at, { recursive: true, force: true });
      return t.skip("this machine does not let root mount a tmpfs");
    }
    t.after(() => {
      execFileSync("umount", [at]);
      rmSync(at, { recursive: true, force: true });
    });
    const queue = open(at);
    try {
      await queue.push([chunk("k", "first")]);
      const ballast = join(at, "ballast");
      const fill = () => {
        for (const size of [500_000, 50_000, 4096])
          try {
            for (;;) writeFileSync(ballast, Buffer.alloc(size), { flag: "a" });
          } catch {
            // Full at this size; the next is smaller.
          }
      };
      fill();
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
  /** mulberry32: the same sequence for the same seed. */
  const random = (seed: number) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };

  for (const seed of [1, 2, 3, 4, 5, 6])
    test(`random pushes, settlements and reopenings with seed ${seed} hold exactly what the model holds`, async (t) => {
      const next = random(seed);
      const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
      const dir = folder(t);
      let queue = open(dir, { durability: seed % 2 ? "normal" : "full" });
      const lanes = ["a", "b", "c"];
      const model = new Map(lanes.map((l) => [l, new Map<string, { body: string; count: number; attempt: number }>()]));
      const dead = new Map(lanes.map((l) => [l, 0]));
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
              const want = held.get(item.id)!;
              assert.deepEqual([item.body, item.count, item.attempt], [want.body, want.count, want.attempt]);
              const way = next();
              if (way < 0.25) {
                const retry = { body: way < 0.1 ? item.body : `${item.body}!`, count: item.count, inMs: 0 };
                held.set(item.id, { ...retry, attempt: item.attempt + 1 });
                return { retry };
              }
              held.delete(item.id);
              if (way < 0.4) {
                dead.set(lane, dead.get(lane)! + item.count);
                return { dead: [{ body: item.body, count: item.count, why: "x" }] };
              }
              if (way < 0.75) {
                const heirs = lanes.filter((l) => l !== lane && !model.get(l)!.has(`${item.id}.`));
                const children = heirs.map((l) =>
                  chunk(l, `${item.id}.`, way < 0.6 ? item.body : `${item.body}${l}`, { count: item.count }),
                );
                for (const c of children) model.get(c.lane)!.set(c.id, { body: c.body, count: c.count, attempt: 0 });
                return { next: children };
              }
              return {};
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
        }
      }
      for (const l of lanes) {
        const held = model.get(l)!;
        assert.deepEqual((await empty(queue, l, held.size)).toSorted(), [...held.keys()].toSorted());
      }
      await queue.close();
      // Nothing may be left behind but dead letters: no body without a holder.
      const { DatabaseSync } = await import("node:sqlite");
      const db = new DatabaseSync(join(dir, "queue.db"));
      assert.deepEqual(
        { ...db.prepare("SELECT (SELECT count(*) FROM body) AS b, (SELECT count(*) FROM share) AS s").get() },
        { b: 0, s: 0 },
      );
      db.close();
      assert.ok(existsSync(dir));
    });
});
