/** What the embedded queue does when its files are damaged in one way or another. */

import assert from "node:assert/strict";
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pageSize } from "../../../../src/queue/sqlite/wal.ts";
import { harm } from "../../../support/queue-damage.ts";
import { empty, folder, open } from "../../../support/queue-embedded.ts";
import { chunk, recorder } from "../../../support/queues.ts";
import { until } from "../../../support/until.ts";

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

  test("a file of more than two gibibytes is read back from wherever its pages stand, in little memory", async (t) => {
    const dir = folder(t);
    await leave(dir, 1, true);
    const file = join(dir, "queue.db");
    const far = 2 ** 31 / pageSize + 1000;
    // Sparse: SQLite goes on behind the number of pages that its header tells.
    truncateSync(file, far * pageSize);
    const fd = openSync(file, "r+");
    const count = Buffer.alloc(4);
    count.writeUInt32BE(far);
    writeSync(fd, count, 0, 4, 28);
    closeSync(fd);
    const filled = open(dir);
    const bodies = new Map(Array.from({ length: 60 }, (_, i) => [`far${i}`, `${i} `.padEnd(30_000, `${i}`)]));
    await filled.push([...bodies].map(([id, body]) => chunk("far", id, body)));
    await filled.close();
    const { size } = statSync(file);
    assert.ok(size > 2 ** 31 + 60 * 30_000, `${size}`);
    harm(file, Math.floor((size - 900_000) / pageSize) * pageSize, 100);
    harm(file, 100, 100);
    const before = process.memoryUsage().rss;
    const queue = await openRead(dir);
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    const { items, handle } = recorder();
    const consumer = queue.consume("far", handle, 2);
    await until(
      "all that is left",
      async () => (await queue.depth("far")).waiting + (await queue.depth("far")).active === 0,
    );
    await consumer.close(1000);
    assert.deepEqual(queue.status().damaged?.lost, { far: 60 - items.length });
    assert.ok(items.length >= 58 && items.every(({ id, body }) => body === bodies.get(id)), `${items.length}`);
    assert.ok(grown < 200, `grew by ${Math.round(grown)} MiB`);
    await queue.close();
  });
});
