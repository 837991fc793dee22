/** What every queue driver promises of dead letters; part of suite.ts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Queue } from "../../../src/queue/queue.ts";
import { chunk, recorder } from "../../support/queues.ts";
import { until } from "../../support/until.ts";

export function letters(queue: () => Queue, lane: () => string): void {
  test("dead letters can be listed in pages, sent again and thrown away", async () => {
    const l = lane();
    let again = false;
    const { items, handle } = recorder((item) =>
      again ? {} : { dead: [{ body: item.body, count: 2, why: "client_error: HTTP 400" }] },
    );
    await queue().push(["a", "b", "c"].map((id) => chunk(l, id, `body ${id}`, { count: 2, at: 11 })));
    const consumer = queue().consume(l, handle, 1);
    await until("all dead", async () => (await queue().depth(l)).dead === 6);
    const first = await queue().dead(l, 2);
    const rest = await queue().dead(l, 10, first[1]!.id);
    assert.deepEqual(
      [...first, ...rest].map((d) => d.body),
      ["body a", "body b", "body c"],
    );
    assert.equal(first[0]!.why, "client_error: HTTP 400");
    assert.equal(first[0]!.at, 11);
    assert.ok(first[0]!.diedAt > 11);
    assert.equal(new Set([...first, ...rest].map((d) => d.id)).size, 3);
    assert.equal(await queue().discard(l, [first[0]!.id]), 1);
    assert.equal((await queue().depth(l)).dead, 4);
    again = true;
    items.length = 0;
    assert.equal(await queue().redrive(l, [first[1]!.id]), 1);
    await until("redriven", () => items.length === 1);
    assert.equal(await queue().redrive(l), 1);
    await until("all redriven", () => items.length === 2);
    assert.deepEqual(
      items.map((i) => [i.body, i.attempt]),
      [
        ["body b", 0],
        ["body c", 0],
      ],
    );
    await consumer.close(1000);
    assert.deepEqual(await queue().depth(l), { waiting: 0, active: 0, delayed: 0, dead: 0 });
  });

  test("a redrive takes what was there when it was asked for, in steps, and what a cancelled one left stays", async () => {
    const l = lane();
    const { items, handle } = recorder((item) => ({ dead: [{ body: item.body, count: 1, why: "refused" }] }));
    const consumer = queue().consume(l, handle, 16);
    await queue().push(Array.from({ length: 250 }, (_, i) => chunk(l, `r${i}`)));
    await until("all dead", async () => (await queue().depth(l)).dead === 250);
    const steps: number[] = [];
    assert.equal(await queue().redrive(l, undefined, { moved: (letters) => steps.push(letters) }), 250);
    assert.ok(steps.length > 2 && steps.at(-1) === 250, steps.join());
    await until("all dead again", async () => items.length >= 500 && (await queue().depth(l)).dead === 250);
    assert.equal(items.length, 500);
    await consumer.close(1000);
    const cancel = new AbortController();
    const moved = await queue().redrive(l, undefined, { moved: () => cancel.abort(), signal: cancel.signal });
    const { waiting, dead } = await queue().depth(l);
    assert.ok(moved > 0 && moved < 250, `${moved}`);
    assert.deepEqual([waiting, dead], [moved, 250 - moved]);
  });

  test("a discard of all takes what was there when it was asked for, in steps, and can be cancelled", async () => {
    const l = lane();
    const { handle } = recorder((item) => ({ dead: [{ body: item.body, count: 1, why: "refused" }] }));
    const consumer = queue().consume(l, handle, 16);
    await queue().push(Array.from({ length: 250 }, (_, i) => chunk(l, `r${i}`)));
    await until("all dead", async () => (await queue().depth(l)).dead === 250);
    await consumer.close(1000);
    const cancel = new AbortController();
    const gone = await queue().discard(l, undefined, { moved: () => cancel.abort(), signal: cancel.signal });
    assert.ok(gone > 0 && gone < 250, `${gone}`);
    assert.deepEqual(await queue().depth(l), { waiting: 0, active: 0, delayed: 0, dead: 250 - gone });
    const steps: number[] = [];
    assert.equal(await queue().discard(l, undefined, { moved: (letters) => steps.push(letters) }), 250 - gone);
    assert.ok(steps.length > 1 && steps.at(-1) === 250 - gone, steps.join());
    assert.deepEqual(await queue().depth(l), { waiting: 0, active: 0, delayed: 0, dead: 0 });
  });
}
