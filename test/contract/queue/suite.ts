/** What every queue driver promises. Called once for each driver by drivers.test.ts. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Item, Queue } from "../../../src/queue/queue.ts";
import { QueueError } from "../../../src/queue/queue.ts";
import { chunk, recorder } from "../../support/queues.ts";
import { until } from "../../support/until.ts";
import { consumers } from "./suite-consumers.ts";
import { delays } from "./suite-delays.ts";
import { letters } from "./suite-letters.ts";
import { state } from "./suite-state.ts";

export interface Bed {
  /** Opens the queue over the same store as before. */
  open(): Promise<Queue>;
  end(): Promise<void>;
}

export function suite(name: string, driver: string, makeBed: () => Promise<Bed>, skip?: string): void {
  describe(`queue driver ${name}`, { skip: skip ?? false }, () => {
    let bed: Bed;
    let queue: Queue;
    let n = 0;
    /** Every test has lanes of its own. */
    const lane = () => `out:test ${name} ${++n}`;
    before(async () => {
      bed = await makeBed();
      queue = await bed.open();
    });
    after(async () => {
      await queue?.close();
      await bed?.end();
    });

    test("chunks come out oldest first with all they had", async () => {
      const l = lane();
      await queue.push([chunk(l, "a", "one\ntwo", { count: 2, at: 5 }), chunk(l, "b")]);
      await queue.push([chunk(l, "c")]);
      const { items, handle } = recorder();
      const consumer = queue.consume(l, handle, 1);
      await until("three items", () => items.length === 3);
      assert.deepEqual(
        items.map((i) => i.id),
        ["a", "b", "c"],
      );
      const { decoded: _, ...first } = items[0]!;
      assert.deepEqual(first, { lane: l, id: "a", body: "one\ntwo", count: 2, at: 5, attempt: 0 });
      await consumer.close(1000);
      assert.deepEqual(await queue.depth(l), { waiting: 0, active: 0, delayed: 0, dead: 0 });
    });

    test("an id that the lane holds is taken once; another lane may hold it too", async () => {
      const [l, m] = [lane(), lane()];
      await queue.push([chunk(l, "same", "first"), chunk(l, "same", "second")]);
      await queue.push([chunk(l, "same", "third"), chunk(m, "same", "other")]);
      assert.equal((await queue.depth(l)).waiting, 1);
      assert.equal((await queue.depth(m)).waiting, 1);
      const { items, handle } = recorder();
      const consumer = queue.consume(l, handle, 2);
      await until("one item", () => items.length > 0);
      await consumer.close(1000);
      assert.deepEqual(
        items.map((i) => i.body),
        ["first"],
      );
    });

    test("a retry keeps what is left, its id and its time, one attempt older", async () => {
      const l = lane();
      const { items, handle } = recorder((item) =>
        item.attempt < 2 ? { retry: { body: `left ${item.attempt}`, count: 3 - item.attempt, inMs: 1 } } : {},
      );
      const consumer = queue.consume(l, handle, 1);
      await queue.push([chunk(l, "r", "all", { count: 5, at: 77 })]);
      await until("three attempts", () => items.length === 3);
      await consumer.close(1000);
      assert.deepEqual(
        items.map((i) => [i.id, i.at, i.attempt, i.body, i.count]),
        [
          ["r", 77, 0, "all", 5],
          ["r", 77, 1, "left 0", 3],
          ["r", 77, 2, "left 1", 2],
        ],
      );
    });

    test("a delayed item is not handed out before its time, and others are", async () => {
      const l = lane();
      const { items, handle } = recorder((item) =>
        item.id === "late" ? { retry: { body: item.body, count: 1, inMs: 60_000 } } : {},
      );
      await queue.push([chunk(l, "late", "x", { at: 9 }), chunk(l, "next")]);
      const consumer = queue.consume(l, handle, 1);
      await until("both seen", () => items.length === 2);
      await consumer.close(1000);
      assert.deepEqual(await queue.depth(l), { waiting: 0, active: 0, delayed: 1, dead: 0, oldestAt: 9 });
      assert.deepEqual(
        items.map((i) => i.id),
        ["late", "next"],
      );
    });

    test("a settlement pushes children, keeps dead parts and removes the item", async () => {
      const [l, x, y] = [lane(), lane(), lane()];
      await queue.push([chunk(l, "p", "same body", { count: 4, at: 3 })]);
      const { items, handle } = recorder((item) => ({
        next: [
          { ...item, lane: x, id: "p>x", count: 3 },
          { ...item, lane: y, id: "p>y", body: "own", count: 2 },
        ],
        dead: [{ body: "bad", count: 1, why: "invalid: no rule" }],
      }));
      const consumer = queue.consume(l, handle, 1);
      await until("settled", async () => (await queue.depth(l)).dead === 1 && items.length === 1);
      await consumer.close(1000);
      assert.deepEqual(await queue.depth(x), { waiting: 3, active: 0, delayed: 0, dead: 0, oldestAt: 3 });
      assert.deepEqual(await queue.depth(y), { waiting: 2, active: 0, delayed: 0, dead: 0, oldestAt: 3 });
      assert.equal((await queue.depth(l)).waiting, 0);
      const seen = recorder();
      const [cx, cy] = [queue.consume(x, seen.handle, 1), queue.consume(y, seen.handle, 1)];
      await until("children", () => seen.items.length === 2);
      await Promise.all([cx.close(1000), cy.close(1000)]);
      assert.deepEqual(seen.items.map((i) => i.body).sort(), ["own", "same body"]);
    });

    letters(() => queue, lane);
    consumers(() => queue, lane);
    const reopen = async () => {
      await queue.close();
      queue = await bed.open();
    };
    delays(() => queue, lane, reopen);
    state(() => queue, lane, reopen);

    test("large bodies and every kind of text come back as they were", async () => {
      const l = lane();
      const bodies = ["x".repeat(8 * 1024 * 1024), 'ü€😀 \u2028 "\\" \t\r\n \u0000 end', "", "[]\n{}"];
      await queue.push(bodies.map((body, i) => chunk(l, `u${i}`, body)));
      const { items, handle } = recorder();
      const consumer = queue.consume(l, handle, 1);
      await until("all", () => items.length === bodies.length);
      await consumer.close(1000);
      assert.ok(items.every((item: Item, i) => item.body === bodies[i]));
    });

    test("what is not settled is there after closing and opening again", async () => {
      const l = lane();
      await queue.push([chunk(l, "keep1", "one", { at: 4 }), chunk(l, "keep2", "two ü"), chunk(l, "late")]);
      const { items, handle } = recorder((item) =>
        item.id === "keep1"
          ? { dead: [{ body: "gone", count: 1, why: "x" }] }
          : { retry: { body: item.body + "!", count: 1, inMs: 30 } },
      );
      const consumer = queue.consume(l, handle, 1);
      await until("one", () => items.length >= 2);
      await consumer.close(1000);
      await queue.close();
      queue = await bed.open();
      assert.ok((await queue.lanes()).includes(l));
      assert.equal((await queue.depth(l)).dead, 1);
      const again = recorder();
      const second = queue.consume(l, again.handle, 1);
      await until("the others", () => again.items.length === 2);
      await second.close(1000);
      assert.deepEqual(again.items.map((i) => i.id).sort(), ["keep2", "late"]);
      const kept = again.items.find((i) => i.id === "keep2");
      assert.deepEqual([kept?.body, kept?.attempt], ["two ü!", 1]);
    });

    test("a closed queue refuses", async () => {
      const other = await makeBed();
      const second = await other.open();
      await second.close();
      await assert.rejects(second.push([chunk("a", "b")]), (e) => e instanceof QueueError && e.kind === "closed");
      await other.end();
    });

    test("status names the driver and is writable", () => {
      const status = queue.status();
      assert.equal(status.writable, true);
      assert.equal(status.driver, driver);
    });
  });
}
