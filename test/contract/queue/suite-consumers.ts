/** What every queue driver promises of its consumers; part of suite.ts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Queue } from "../../../src/queue/queue.ts";
import { chunk, recorder } from "../../support/queues.ts";
import { until } from "../../support/until.ts";

export function consumers(queue: () => Queue, lane: () => string): void {
  test("a handler that throws gets its item again, no attempt older", async () => {
    const l = lane();
    let fail = true;
    const { items, handle } = recorder((item) => {
      if (!fail) return {};
      fail = false;
      throw new Error(`cannot now: ${item.id}`);
    });
    await queue().push([chunk(l, "t", "text")]);
    const consumer = queue().consume(l, handle, 1);
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
    await queue().push(Array.from({ length: 30 }, (_, i) => chunk(l, `n${i}`)));
    const consumer = queue().consume(l, handle, 3);
    await until("all", () => items.length === 30);
    await consumer.close(1000);
    assert.equal(most, 3);
  });

  test("a paused consumer takes nothing, a resumed one goes on", async () => {
    const l = lane();
    const { items, handle } = recorder();
    const consumer = queue().consume(l, handle, 1);
    consumer.pause();
    await queue().push([chunk(l, "p1"), chunk(l, "p2")]);
    await sleep(50);
    assert.equal(items.length, 0);
    assert.equal((await queue().depth(l)).waiting, 2);
    consumer.resume();
    await until("both", () => items.length === 2);
    await consumer.close(1000);
  });

  test("close waits for items in hand", async () => {
    const l = lane();
    let finish: (() => void) | undefined;
    const consumer = queue().consume(l, () => new Promise((resolve) => (finish = () => resolve({}))), 1);
    await queue().push([chunk(l, "slow"), chunk(l, "never taken")]);
    await until("in hand", () => finish !== undefined);
    assert.equal((await queue().depth(l)).active, 1);
    const closed = consumer.close(10_000);
    finish?.();
    await closed;
    assert.equal((await queue().depth(l)).waiting, 1);
  });

  test("an item in hand when the deadline passes comes back to the lane", async () => {
    const l = lane();
    const { items, handle } = recorder(() => new Promise(() => {}));
    const consumer = queue().consume(l, handle, 1);
    await queue().push([chunk(l, "stuck")]);
    await until("in hand", () => items.length === 1);
    await consumer.close(20);
    const again = recorder();
    const second = queue().consume(l, again.handle, 1);
    await until("again", () => again.items.length === 1);
    await second.close(1000);
    assert.equal(again.items[0]!.id, "stuck");
  });
}
