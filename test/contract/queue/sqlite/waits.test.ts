/** Nobody who asks for figures or moves letters waits for the disk, nor does anybody else wait for them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { folder, open } from "../../../support/queue-embedded.ts";
import { chunk, recorder } from "../../../support/queues.ts";
import { until } from "../../../support/until.ts";

test("figures, lanes and letters are answered before writes that are on their way to the disk", async (t) => {
  const queue = open(folder(t), { durability: "full" });
  t.after(() => queue.close());
  await queue.push([chunk("k", "a")]);
  const answered: string[] = [];
  const told = (name: string) => () => void answered.push(name);
  const pushed = queue.push([chunk("k", "b")]).then(told("push"));
  // The write begins, and its sync.
  await queue.depth("k");
  const asked = [
    queue.depth("k").then(told("depth")),
    queue.lanes().then(told("lanes")),
    queue.dead("k", 1).then(told("dead")),
    queue.redrive("k").then(told("redrive")),
  ];
  await Promise.all([pushed, ...asked]);
  assert.equal(answered.at(-1), "push");
});

for (const move of ["redrive", "discard"] as const)
  test(`a ${move} of many letters gives everything else its turn between the steps`, async (t) => {
    const queue = open(folder(t));
    t.after(() => queue.close());
    const { handle } = recorder((item) => ({ dead: [{ body: item.body, count: 1, why: "refused" }] }));
    const consumer = queue.consume("k", handle, 64);
    await queue.push(Array.from({ length: 2000 }, (_, i) => chunk("k", `c${i}`)));
    await until("all are dead", async () => (await queue.depth("k")).dead === 2000);
    await consumer.close(1000);
    let turns = 0;
    let moving = true;
    const count = (async () => {
      for (; moving; turns++) await nextTurn();
    })();
    assert.equal(await queue[move]("k"), 2000);
    moving = false;
    await count;
    assert.ok(turns >= 50, `${turns}`);
  });

test("a consumer that waits for nothing leaves everything else its turn", async (t) => {
  const queue = open(folder(t));
  t.after(() => queue.close());
  for (let n = 0; n < 10_000; n += 1000)
    await queue.push(Array.from({ length: 1000 }, (_, i) => chunk("k", `c${n + i}`)));
  const { items, handle } = recorder();
  const consumer = queue.consume("k", handle, 64);
  let turns = 0;
  for (; items.length < 10_000; turns++) await nextTurn();
  await consumer.close(1000);
  assert.ok(turns >= 10, `${turns}`);
});
