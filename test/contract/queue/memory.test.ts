/** What consumers have in hand stays within one budget of bytes, whatever they do, on both drivers. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createMemory } from "../../../src/queue/memory.ts";
import type { Queue, Settlement } from "../../../src/queue/queue.ts";
import { openRedisQueue } from "../../../src/queue/redis/driver.ts";
import { folder, open } from "../../support/queue-embedded.ts";
import { chunk } from "../../support/queues.ts";
import { redisMissing, startRedis } from "../../support/redis.ts";
import { until } from "../../support/until.ts";

const budget = 2 * 1024 * 1024;
const size = 20_000;

const drivers: Record<string, (t: TestContext) => Promise<Queue>> = {
  sqlite: async (t) => open(folder(t), { memory: createMemory(budget) }),
  redis: async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    return openRedisQueue({ url: redis.url, now: Date.now, memory: createMemory(budget) });
  },
};

for (const [driver, make] of Object.entries(drivers))
  test(`${driver}: twelve hanging consumers hold what the budget allows, another one gets its items, and all come in the end`, {
    skip: driver === "redis" ? (redisMissing() ?? false) : false,
  }, async (t) => {
    const queue = await make(t);
    t.after(() => queue.close());
    const hanging = Array.from({ length: 12 }, (_, i) => `hanging${i}`);
    let [inHand, most, hangs] = [0, 0, true];
    const seen = new Set<string>();
    const waiting: (() => void)[] = [];
    const hang = async ({ lane, id, body }: { lane: string; id: string; body: string }): Promise<Settlement> => {
      inHand += body.length;
      most = Math.max(most, inHand);
      if (hangs) await new Promise<void>((resolve) => waiting.push(resolve));
      inHand -= body.length;
      seen.add(`${lane} ${id}`);
      return {};
    };
    let healthy = 0;
    const taken = async () => {
      healthy++;
      return {};
    };
    queue.consume("healthy", taken, 8);
    await queue.push([chunk("healthy", "first")]);
    await until("the healthy one is known to be", () => healthy === 1);
    for (const lane of hanging) {
      await queue.push(Array.from({ length: 20 }, (_, i) => chunk(lane, `c${i}`, `${i}`.padEnd(size, lane))));
      queue.consume(lane, hang, 20);
    }
    await until("some hang", () => waiting.length >= 2);
    await queue.push(Array.from({ length: 40 }, (_, i) => chunk("healthy", `h${i}`, "x".repeat(size))));
    await until("the healthy one has all", () => healthy === 41);
    assert.ok(most <= budget, `${most}`);
    assert.ok(waiting.length < 240);
    hangs = false;
    for (const go of waiting) go();
    await until("all have come", () => seen.size === 240);
    for (const lane of hanging) await until("settled", async () => (await queue.depth(lane)).active === 0);
  });
