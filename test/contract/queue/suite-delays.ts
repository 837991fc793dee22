/** What every queue driver promises of chunks that are due later; part of suite.ts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Queue } from "../../../src/queue/queue.ts";
import { chunk, recorder } from "../../support/queues.ts";
import { until } from "../../support/until.ts";

const hour = 3_600_000;

export function delays(queue: () => Queue, lane: () => string, reopen: () => Promise<void>): void {
  test("a chunk that is due later waits as delayed, others pass it, and it comes after its time with all it had", async () => {
    const l = lane();
    const at = performance.now();
    await queue().push([
      chunk(l, "later", "text", { inMs: 300, count: 2, at: 5, attempt: 3 }),
      chunk(l, "hour", "text", { inMs: hour, count: 4, at: 7 }),
      chunk(l, "now"),
    ]);
    assert.deepEqual(await queue().depth(l), { waiting: 1, active: 0, delayed: 6, dead: 0, oldestAt: 5 });
    const { items, handle } = recorder();
    const consumer = queue().consume(l, handle, 4);
    await until("the one that is due, and the one that came due", () => items.length === 2);
    assert.ok(performance.now() - at >= 300, "before its time");
    await consumer.close(1000);
    assert.equal(items[0]?.id, "now");
    const { decoded: _, ...later } = items[1]!;
    assert.deepEqual(later, { lane: l, id: "later", body: "text", count: 2, at: 5, attempt: 3 });
    assert.deepEqual(await queue().depth(l), { waiting: 0, active: 0, delayed: 4, dead: 0, oldestAt: 7 });
    assert.ok((await queue().lanes()).includes(l));
  });

  test("a child may be due later, in the lane of its parent too", async () => {
    const [l, x] = [lane(), lane()];
    await queue().push([chunk(l, "parent", "same body", { at: 3 })]);
    const times = new Map<string, number>();
    const { items, handle } = recorder((item) => {
      times.set(item.id, performance.now());
      if (item.id !== "parent") return {};
      const children = [l, x].map((to) => ({ ...item, lane: to, id: `child of ${to}`, inMs: 150 }));
      return { next: [...children, { ...item, lane: x, id: "hour", inMs: hour }] };
    });
    const consumers = [l, x].map((one) => queue().consume(one, handle, 2));
    await until("both children", () => items.length === 3);
    await Promise.all(consumers.map((c) => c.close(1000)));
    for (const one of [l, x]) {
      const waited = (times.get(`child of ${one}`) ?? 0) - (times.get("parent") ?? 0);
      assert.ok(waited >= 149, `${waited} ms`);
    }
    assert.deepEqual(
      items.map((i) => i.body),
      ["same body", "same body", "same body"],
    );
    assert.deepEqual(await queue().depth(x), { waiting: 0, active: 0, delayed: 1, dead: 0, oldestAt: 3 });
  });

  test("of those that are due the older come first, and an id that waits for its time is taken once", async () => {
    const l = lane();
    await queue().push([
      chunk(l, "first", "x", { inMs: 150 }),
      chunk(l, "second", "x", { inMs: 300 }),
      chunk(l, "third", "x", { inMs: 450 }),
    ]);
    await queue().push([chunk(l, "first", "again"), chunk(l, "third", "again", { inMs: 1 })]);
    assert.equal((await queue().depth(l)).delayed, 3);
    const { items, handle } = recorder();
    const consumer = queue().consume(l, handle, 1);
    await until("all", () => items.length === 3);
    await consumer.close(1000);
    assert.deepEqual(
      items.map((i) => [i.id, i.body]),
      [
        ["first", "x"],
        ["second", "x"],
        ["third", "x"],
      ],
    );
  });

  test("what is due later waits through closing and opening", async () => {
    const l = lane();
    const at = performance.now();
    const hours = Array.from({ length: 5 }, (_, i) => chunk(l, `hour ${i}`, "text", { inMs: hour }));
    await queue().push([...hours, chunk(l, "soon", "text", { inMs: 500, at: 2 })]);
    await reopen();
    assert.deepEqual(await queue().depth(l), { waiting: 0, active: 0, delayed: 6, dead: 0, oldestAt: 2 });
    const { items, handle } = recorder();
    const consumer = queue().consume(l, handle, 1);
    await until("the one that came due", () => items.length > 0);
    // The clock that goes on over a restart is the wall's, in whole milliseconds.
    assert.ok(performance.now() - at >= 498, "before its time");
    await consumer.close(1000);
    assert.deepEqual(
      items.map((i) => i.id),
      ["soon"],
    );
    assert.equal((await queue().depth(l)).delayed, 5);
  });
}
