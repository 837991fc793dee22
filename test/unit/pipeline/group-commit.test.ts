import assert from "node:assert/strict";
import { test } from "node:test";
import { openGroupCommit } from "../../../src/pipeline/group-commit.ts";
import type { Codec } from "../../../src/queue/codec.ts";
import type { Chunk } from "../../../src/queue/queue.ts";
import { until } from "../../support/until.ts";

const codec: Codec<readonly number[]> = {
  encode: (ns) => ns.join("\n"),
  decode: (body) => body.split("\n").map(Number),
};
const limits = { codec, lane: "alerts", maxEvents: 3, maxBytes: 100, lingerMs: 2 };

/** A push whose writes the test ends by hand. */
const heldPush = () => {
  const writes: { chunks: readonly Chunk[]; end: (error?: Error) => void }[] = [];
  const push = (chunks: readonly Chunk[]): Promise<void> =>
    new Promise((resolve, reject) => writes.push({ chunks, end: (error) => (error ? reject(error) : resolve()) }));
  return { writes, push };
};

test("lines added in one turn share one write and each caller hears of its end", async () => {
  const { writes, push } = heldPush();
  const group = openGroupCommit(push, limits, Date.now);
  const both = Promise.all([group.add(["a"], [1]), group.add(["b"], [2])]);
  await until("1 written", () => writes.length === 1);
  assert.equal(writes[0]?.chunks[0]?.body, "a\nb");
  assert.deepEqual(writes[0]?.chunks[0]?.decoded?.value, [1, 2]);
  writes[0]?.end();
  await both;
});

test("nobody is answered before the write has ended", async () => {
  const { writes, push } = heldPush();
  const group = openGroupCommit(push, limits, Date.now);
  let answered = false;
  const added = group.add(["a"], [1]).then(() => {
    answered = true;
  });
  await until("1 written", () => writes.length === 1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(answered, false);
  writes[0]?.end();
  await added;
  assert.equal(answered, true);
});

test("a request larger than a chunk is split over chunks of one write", async () => {
  const { writes, push } = heldPush();
  const group = openGroupCommit(push, limits, Date.now);
  const added = group.add(["1", "2", "3", "4", "x".repeat(99), "y".repeat(99)], [1, 2, 3, 4, 5, 6]);
  await until("1 written", () => writes.length === 1);
  assert.deepEqual(
    writes[0]?.chunks.map((c) => c.count),
    [3, 2, 1],
  );
  assert.equal(new Set(writes[0]?.chunks.map((c) => c.id)).size, 3);
  writes[0]?.end();
  await added;
});

test("a failed write is told to its callers alone", async () => {
  const { writes, push } = heldPush();
  const group = openGroupCommit(push, limits, Date.now);
  const first = group.add(["a"], [1]);
  await until("1 written", () => writes.length === 1);
  const second = group.add(["b"], [2]);
  writes[0]?.end(new Error("full"));
  await assert.rejects(first, /full/);
  await until("2 written", () => writes.length === 2);
  writes[1]?.end();
  await second;
});

test("idle resolves only when every added line has been written", async () => {
  const { writes, push } = heldPush();
  const group = openGroupCommit(push, limits, Date.now);
  const added = group.add(["a"], [1]);
  let idle = false;
  const waiting = group.idle().then(() => {
    idle = true;
  });
  await until("1 written", () => writes.length === 1);
  assert.equal(idle, false);
  writes[0]?.end();
  await Promise.all([added, waiting]);
});
