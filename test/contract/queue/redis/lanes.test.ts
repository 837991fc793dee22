/** What an alert for many lanes costs on Redis: one transaction, its body once, and few commands to count it. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import { Redis } from "ioredis";
import { QueueError } from "../../../../src/queue/queue.ts";
import { openRedisQueue } from "../../../../src/queue/redis/driver.ts";
import { chunk } from "../../../support/queues.ts";
import { redisMissing, startRedis } from "../../../support/redis.ts";
import { until } from "../../../support/until.ts";

const skip = redisMissing() ?? false;

async function queueOn(t: TestContext, args?: readonly string[]) {
  const server = await startRedis(args);
  t.after(() => server.stop());
  const client = new Redis(server.port, "127.0.0.1");
  t.after(() => client.disconnect());
  const queue = openRedisQueue({ url: server.url, now: Date.now });
  t.after(() => queue.close());
  const figure = async (section: string, name: string) =>
    Number(new RegExp(`^${name}:(?:calls=)?(\\d+)`, "m").exec(await client.info(section))?.[1] ?? 0);
  return { client, queue, figure };
}

const lanesOf = (count: number) => Array.from({ length: count }, (_, i) => `out:o${i}`);
/** Incompressible. */
const text = (bytes: number) => randomBytes(bytes).toString("hex");

test("an alert for 500 lanes goes to Redis in one transaction, and its body once", { skip }, async (t) => {
  const { client, queue, figure } = await queueOn(t);
  const sent = async (count: number): Promise<number> => {
    const lanes = lanesOf(count);
    await queue.push(lanes.map((lane) => chunk(lane, `first of ${count}`)));
    const body = text(1_000_000);
    await client.config("RESETSTAT");
    await queue.push(lanes.map((lane) => chunk(lane, `second of ${count}`, body)));
    assert.equal(await figure("commandstats", "cmdstat_exec"), 1);
    return figure("stats", "total_net_input_bytes");
  };
  const [few, many] = [await sent(10), await sent(500)];
  t.diagnostic(`bytes sent for 10 and 500 lanes: ${few}, ${many}`);
  assert.ok(many < 2 * few, `${few}, ${many}`);
  assert.equal((await queue.depth("out:o499")).waiting, 2);
});

test("the figures of 500 lanes take a few commands, long lanes no longer than short ones", { skip }, async (t) => {
  const { client, queue, figure } = await queueOn(t);
  const lanes = lanesOf(500);
  const depths = () => Promise.all(lanes.map((lane) => queue.depth(lane)));
  for (let i = 0; i < 3; i++) await queue.push(lanes.map((lane) => chunk(lane, `c${i}`, "{}", { count: 7 })));
  await queue.push(Array.from({ length: 900 }, (_, i) => chunk("out:o7", `more${i}`, "{}", { count: 7 })));
  await client.config("RESETSTAT");
  const found = await depths();
  assert.ok((await figure("commandstats", "cmdstat_eval")) <= 50);
  assert.deepEqual(
    found.map((d) => d.waiting),
    lanes.map((lane) => (lane === "out:o7" ? 903 * 7 : 21)),
  );
  await client.config("RESETSTAT");
  assert.deepEqual(await depths(), found);
  const looked = await figure("commandstats", "cmdstat_hmget");
  assert.ok(looked <= 3 * lanes.length, `${looked} jobs looked at`);
  await client.config("RESETSTAT");
  assert.equal((await queue.lanes()).length, 500);
  assert.ok((await figure("commandstats", "cmdstat_eval")) <= 10);
});

test("a push that a full Redis refuses has left nothing in any of its lanes", { skip }, async (t) => {
  const { client, queue } = await queueOn(t, ["--appendonly", "yes", "--maxmemory", "6mb"]);
  const lanes = lanesOf(20);
  await queue.push(lanes.map((lane) => chunk(lane, "first")));
  let pushed = 1;
  await until("refused", async () => {
    try {
      const body = text(4_000);
      await queue.push(lanes.map((lane, i) => chunk(lane, `c${pushed}`, body + i)));
      pushed++;
      return false;
    } catch (error) {
      assert.ok(error instanceof QueueError && error.kind === "full", String(error));
      return true;
    }
  });
  const depths = await Promise.all(lanes.map((lane) => queue.depth(lane)));
  assert.deepEqual([...new Set(depths.map((d) => d.waiting))], [pushed]);
  await client.config("SET", "maxmemory", "100mb");
  await queue.push(lanes.map((lane) => chunk(lane, `c${pushed}`)));
  assert.equal((await queue.depth("out:o19")).waiting, pushed + 1);
});

test("scripts that the server was made to forget are sent again", { skip }, async (t) => {
  const { client, queue } = await queueOn(t);
  const push = (id: string) => queue.push(lanesOf(5).map((lane) => chunk(lane, id)));
  await push("a");
  await client.script("FLUSH");
  await push("b");
  await push("c");
  assert.deepEqual(
    await Promise.all(lanesOf(5).map(async (lane) => (await queue.depth(lane)).waiting)),
    [3, 3, 3, 3, 3],
  );
});
