/** The embedded queue over damaged files: what can be read is delivered, what cannot is counted to the event. */

import assert from "node:assert/strict";
import { readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import {
  type Base,
  copyQueue,
  drainAll,
  harm,
  harmBlocks,
  judge,
  makeBase,
  quick,
} from "../../../support/queue-damage.ts";
import { folder, open } from "../../../support/queue-embedded.ts";
import { seeded } from "../../../support/random.ts";

const megabyte = 2 ** 20;
const page = 8192;

/** Opens a copy of the base that `damage` was done to and drains it; returns the events that were lost. */
async function survive(t: TestContext, base: Base, what: string, damage: (file: string) => void): Promise<number> {
  const dir = join(folder(t, quick), "queue");
  copyQueue(base.dir, dir);
  damage(join(dir, "queue.db"));
  const queue = open(dir);
  const got = await drainAll(queue);
  const lost = await judge(queue, base, got, what);
  const repeated = [...got.values()].flatMap((ids) => [...ids].filter(([, times]) => times > 1));
  assert.deepEqual(repeated, [], `${what}: delivered twice`);
  await queue.close();
  rmSync(dir, { recursive: true });
  return lost;
}

describe("embedded queue: random damage", () => {
  for (const [megabytes, bodyBytes] of [
    [1, 1500],
    [10, 5000],
    [100, 60_000],
  ] as const)
    test(`three random blocks in a file of ${megabytes} MB, 20 seeds`, async (t) => {
      const base = await makeBase(folder(t, quick), megabytes * megabyte, bodyBytes, true);
      let lost = 0;
      for (let seed = 1; seed <= 20; seed++)
        lost += await survive(t, base, `seed ${seed}`, (file) => harmBlocks(file, seed));
      assert.ok(lost > 0, "the damage was felt");
    });

  test("random blocks in the log, and a log cut at a random place, 20 seeds each", async (t) => {
    const base = await makeBase(folder(t, quick), 2 * megabyte, 1500, true);
    for (let seed = 1; seed <= 20; seed++) {
      await survive(t, base, `blocks, seed ${seed}`, (file) => harmBlocks(`${file}-wal`, seed));
      const cut = seeded(seed)();
      await survive(t, base, `cut, seed ${seed}`, (file) =>
        truncateSync(`${file}-wal`, Math.floor(cut * statSync(`${file}-wal`).size)),
      );
    }
  });

  test("random blocks in the file, its log and its counts together deliver what is readable", async (t) => {
    const base = await makeBase(folder(t, quick), 2 * megabyte, 1500, true);
    for (let seed = 1; seed <= 10; seed++) {
      const dir = join(folder(t, quick), "queue");
      copyQueue(base.dir, dir);
      for (const name of readdirSync(dir)) if (name !== "queue.lock") harmBlocks(join(dir, name), seed, 2);
      const queue = open(dir);
      const got = await drainAll(queue);
      const wanted = [...base.live.values()].reduce((sum, ids) => sum + ids.size, 0);
      const delivered = [...got.values()].reduce((sum, ids) => sum + ids.size, 0);
      assert.ok(delivered > wanted * 0.8, `seed ${seed}: ${delivered} of ${wanted}`);
      await queue.close();
    }
  });
});

describe("embedded queue: one damaged page of the wrong kind", () => {
  test("the first page, and the root of every table and index, cost nothing but themselves", async (t) => {
    const base = await makeBase(folder(t, quick), 2 * megabyte, 1500, false);
    for (let n = 1; n <= 12; n++) {
      const lost = await survive(t, base, `page ${n}`, (file) => harm(file, (n - 1) * page, page, n));
      assert.equal(lost, 0, `page ${n}`);
    }
  });

  test("a file that is gone, or cut to nothing, costs what its log does not hold, by count", async (t) => {
    const base = await makeBase(folder(t, quick), 2 * megabyte, 1500, true);
    const gone = await survive(t, base, "gone", (file) => rmSync(file));
    const empty = await survive(t, base, "cut to nothing", (file) => truncateSync(file, 0));
    const both = await survive(t, base, "gone with its log", (file) => {
      rmSync(file);
      rmSync(`${file}-wal`);
    });
    assert.equal(gone, empty);
    assert.ok(gone < both);
  });
});
