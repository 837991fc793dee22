/** What every queue driver promises. Called once for each driver by queue.test.ts. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Item, Queue } from "../../src/queue/queue.ts";
import { QueueError } from "../../src/queue/queue.ts";
import { chunk, recorder, until } from "../support/queues.ts";

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
      const { live: _, ...first } = items[0]!;
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

    test("dead letters can be listed in pages, sent again and thrown away", async () => {
      const l = lane();
      let again = false;
      const { items, handle } = recorder((item) =>
        again ? {} : { dead: [{ body: item.body, count: 2, why: "client_error: HTTP 400" }] },
      );
      await queue.push(["a", "b", "c"].map((id) => chunk(l, id, `body ${id}`, { count: 2, at: 11 })));
      const consumer = queue.consume(l, handle, 1);
      await until("all dead", async () => (await queue.depth(l)).dead === 6);
      const first = await queue.dead(l, 2);
      const rest = await queue.dead(l, 10, first[1]!.id);
      assert.deepEqual(
        [...first, ...rest].map((d) => d.body),
        ["body a", "body b", "body c"],
      );
      assert.equal(first[0]!.why, "client_error: HTTP 400");
      assert.equal(first[0]!.at, 11);
      assert.ok(first[0]!.diedAt > 11);
      assert.equal(new Set([...first, ...rest].map((d) => d.id)).size, 3);
      assert.equal(await queue.discard(l, [first[0]!.id]), 1);
      assert.equal((await queue.depth(l)).dead, 4);
      again = true;
      items.length = 0;
      assert.equal(await queue.redrive(l, [first[1]!.id]), 1);
      await until("redriven", () => items.length === 1);
      assert.equal(await queue.redrive(l), 1);
      await until("all redriven", () => items.length === 2);
      assert.deepEqual(
        items.map((i) => [i.body, i.attempt]),
        [
          ["body b", 0],
          ["body c", 0],
        ],
      );
      await consumer.close(1000);
      assert.deepEqual(await queue.depth(l), { waiting: 0, active: 0, delayed: 0, dead: 0 });
    });

    test("a redrive takes what was there when it was asked for, in steps, and what a cancelled one left stays", async () => {
      const l = lane();
      const { items, handle } = recorder((item) => ({ dead: [{ body: item.body, count: 1, why: "refused" }] }));
      const consumer = queue.consume(l, handle, 16);
      await queue.push(Array.from({ length: 250 }, (_, i) => chunk(l, `r${i}`)));
      await until("all dead", async () => (await queue.depth(l)).dead === 250);
      const steps: number[] = [];
      assert.equal(await queue.redrive(l, undefined, { moved: (letters) => steps.push(letters) }), 250);
      assert.ok(steps.length > 2 && steps.at(-1) === 250, steps.join());
      await until("all dead again", async () => items.length >= 500 && (await queue.depth(l)).dead === 250);
      assert.equal(items.length, 500);
      await consumer.close(1000);
      const cancel = new AbortController();
      const moved = await queue.redrive(l, undefined, { moved: () => cancel.abort(), signal: cancel.signal });
      const { waiting, dead } = await queue.depth(l);
      assert.ok(moved > 0 && moved < 250, `${moved}`);
      assert.deepEqual([waiting, dead], [moved, 250 - moved]);
    });

    test("a handler that throws gets its item again, no attempt older", async () => {
      const l = lane();
      let fail = true;
      const { items, handle } = recorder((item) => {
        if (!fail) return {};
        fail = false;
        throw new Error(`cannot now: ${item.id}`);
      });
      await queue.push([chunk(l, "t", "text")]);
      const consumer = queue.consume(l, handle, 1);
      await until("twice", () => items.length === 2);
      await consumer.close(1000);
      assert.deepEqual(
        items.map((i) => [i.body, i.attempt]),
        [
          ["text", 0],
          ["text", 0],
        ],
      );
    });

    test("no more than `parallel` items are in hand", async () => {
      const l = lane();
      let [now, most] = [0, 0];
      const { items, handle } = recorder(async () => {
        most = Math.max(most, ++now);
        await sleep(2);
        now--;
        return {};
      });
      await queue.push(Array.from({ length: 30 }, (_, i) => chunk(l, `n${i}`)));
      const consumer = queue.consume(l, handle, 3);
      await until("all", () => items.length === 30);
      await consumer.close(1000);
      assert.equal(most, 3);
    });

    test("a paused consumer takes nothing, a resumed one goes on", async () => {
      const l = lane();
      const { items, handle } = recorder();
      const consumer = queue.consume(l, handle, 1);
      consumer.pause();
      await queue.push([chunk(l, "p1"), chunk(l, "p2")]);
      await sleep(50);
      assert.equal(items.length, 0);
      assert.equal((await queue.depth(l)).waiting, 2);
      consumer.resume();
      await until("both", () => items.length === 2);
      await consumer.close(1000);
    });

    test("close waits for items in hand", async () => {
      const l = lane();
      let finish: (() => void) | undefined;
      const consumer = queue.consume(l, () => new Promise((resolve) => (finish = () => resolve({}))), 1);
      await queue.push([chunk(l, "slow"), chunk(l, "never taken")]);
      await until("in hand", () => finish !== undefined);
      assert.equal((await queue.depth(l)).active, 1);
      const closed = consumer.close(10_000);
      finish?.();
      await closed;
      assert.equal((await queue.depth(l)).waiting, 1);
    });

    test("an item in hand when the deadline passes comes back to the lane", async () => {
      const l = lane();
      const { items, handle } = recorder(() => new Promise(() => {}));
      const consumer = queue.consume(l, handle, 1);
      await queue.push([chunk(l, "stuck")]);
      await until("in hand", () => items.length === 1);
      await consumer.close(20);
      const again = recorder();
      const second = queue.consume(l, again.handle, 1);
      await until("again", () => again.items.length === 1);
      await second.close(1000);
      assert.equal(again.items[0]!.id, "stuck");
    });

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
