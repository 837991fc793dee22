/** State of the embedded queue through deaths, files of other versions, and what expires while it is written. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { QueueError } from "../../../../src/queue/queue.ts";
import { empty, folder, open } from "../../../support/queue-embedded.ts";
import { child } from "../../../support/queue-process.ts";
import { chunk, recorder } from "../../../support/queues.ts";
import { seeded } from "../../../support/random.ts";
import { until } from "../../../support/until.ts";

describe("embedded queue: state", () => {
  test("kill -9 at any moment: what is counted in the state is what was made with it", async (t) => {
    const dir = folder(t);
    const random = seeded(7);
    const all = 4000;
    const filled = open(dir);
    await filled.push(Array.from({ length: all }, (_, i) => chunk("k", `c${i}`)));
    await filled.close();
    for (let death = 0; death < 8; death++) {
      const counting = child(t, dir, "count");
      await until("it counts", () => counting.lines.length > 1);
      await sleep(random() * 100);
      await counting.kill();
      const queue = open(dir);
      const counted = Number((await queue.state("k").get("events"))?.value ?? 0);
      const [k, x] = [await queue.depth("k"), await queue.depth("x")];
      assert.equal(x.waiting, counted, `death ${death}`);
      assert.equal(k.waiting + x.waiting, all, `death ${death}`);
      await queue.close();
    }
  });

  test("what expires between a settlement and its write refuses it", async (t) => {
    const clock = { ahead: 0 };
    const queue = open(folder(t), { monotonic: () => performance.now() + clock.ahead });
    t.after(() => queue.close());
    const { items, handle } = recorder(async (item) => {
      if (item.id === "set") return { state: [{ key: "a", value: "x", expiresInMs: 60_000 }] };
      const { version = 0 } = (await queue.state("k").get("a")) ?? {};
      // After the settlement is made, before it is written.
      if (!item.conflict) process.nextTick(() => (clock.ahead += 61_000));
      return { next: [chunk("x", `version ${version}`)], state: [{ key: "a", value: "late", version }] };
    });
    queue.consume("k", handle, 1);
    await queue.push([chunk("k", "set")]);
    await until("set", async () => (await queue.depth("k")).waiting === 0 && items.length === 1);
    await queue.push([chunk("k", "late")]);
    await until("settled", async () => (await queue.depth("x")).waiting > 0);
    assert.deepEqual(
      items.map((i) => [i.id, i.conflict]),
      [
        ["set", undefined],
        ["late", undefined],
        ["late", true],
      ],
    );
    assert.deepEqual(await empty(queue, "x", 1), ["version 0"]);
    assert.equal((await queue.state("k").get("a"))?.value, "late");
  });

  test("expired keys leave the file", async (t) => {
    const dir = folder(t);
    const queue = open(dir);
    const state = Array.from({ length: 50 }, (_, i) => ({ key: `key ${i}`, value: "x", expiresInMs: 1 }));
    const { handle } = recorder(() => ({ state: [...state, { key: "kept", value: "x" }] }));
    queue.consume("k", handle, 1);
    await queue.push([chunk("k", "a")]);
    await until("settled", async () => (await queue.depth("k")).active === 0);
    // The queue's own round.
    await sleep(1500);
    await queue.close();
    const db = new DatabaseSync(join(dir, "queue.db"));
    assert.deepEqual(
      db
        .prepare("SELECT key FROM state")
        .all()
        .map((row) => row.key),
      ["kept"],
    );
    db.close();
  });

  /** A file as the first version left it. */
  async function oldFile(dir: string): Promise<void> {
    const queue = open(dir);
    await queue.push([chunk("k", "old"), chunk("k", "older", "text", { inMs: 1 })]);
    await queue.close();
    const db = new DatabaseSync(join(dir, "queue.db"));
    db.exec("DROP TABLE state; PRAGMA user_version=0");
    db.close();
  }

  test("a file of the first version is brought to this one with what is in it, once", async (t) => {
    const dir = folder(t);
    await oldFile(dir);
    for (const round of ["first", "second"]) {
      const queue = open(dir);
      assert.deepEqual(queue.status().warnings, [], round);
      const { total } = await queue.depth("k").then(({ waiting, delayed }) => ({ total: waiting + delayed }));
      assert.equal(total, 2, round);
      const { handle } = recorder((item) => ({
        retry: { body: item.body, count: 1, inMs: 1 },
        state: [{ key: "round", value: round }],
      }));
      const consumer = queue.consume("k", handle, 1);
      await until("state", async () => (await queue.state("k").get("round"))?.value === round);
      await consumer.close(1000);
      await queue.close();
    }
    assert.ok(!readdirSync(dir).some((name) => name.includes(".corrupt-")));
  });

  test("a file of a later version is left as it is, and the reason said", async (t) => {
    const dir = folder(t);
    await open(dir).close();
    const set = (version: number) => {
      const db = new DatabaseSync(join(dir, "queue.db"));
      db.exec(`PRAGMA user_version=${version}`);
      db.close();
    };
    set(99);
    assert.throws(
      () => open(dir),
      (e) => e instanceof QueueError && e.kind === "unavailable" && /version 99/.test(e.message),
    );
    assert.ok(!readdirSync(dir).some((name) => name.includes(".corrupt-")));
    set(2);
    await open(dir).close();
  });
});
