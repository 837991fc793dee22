/** A Redis of a test's own and queues on it, ended with the test. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Queue } from "../../src/queue/queue.ts";
import { openRedisQueue, type RedisQueueSettings } from "../../src/queue/redis/driver.ts";
import { openSpillingQueue, type SpillHooks } from "../../src/queue/spill.ts";
import { openSqliteQueue } from "../../src/queue/sqlite/driver.ts";
import { type RedisServer, startRedis } from "./redis.ts";

export async function server(t: TestContext, args?: readonly string[]): Promise<RedisServer> {
  const redis = await startRedis(args);
  t.after(() => redis.stop());
  return redis;
}

export function redisQueue(t: TestContext, redis: RedisServer, more: Partial<RedisQueueSettings> = {}) {
  const queue = openRedisQueue({ url: redis.url, now: Date.now, throwDelayMs: 10, ...more });
  t.after(() => queue.close());
  return queue;
}

/** A worker process that is killed or dies, and its file of what it handles. The rest is queue-redis-child.ts'. */
export const redisWorker = (t: TestContext, redis: RedisServer, what: string, marks: string) => {
  const file = join(import.meta.dirname, "queue-redis-child.ts");
  const child = spawn(process.execPath, [file, redis.url, what, marks], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (data: Buffer) => (said += data.toString()));
  const gone = once(child, "exit");
  return { gone, lines: () => said.split("\n").length - 1, kill: () => child.kill("SIGKILL") && gone };
};

/** The same with a spill in a folder of its own. */
export async function spillingQueue(t: TestContext, redis: RedisServer, hooks: SpillHooks = {}): Promise<Queue> {
  const dir = mkdtempSync(join(tmpdir(), "eyrie-spill-"));
  const queue = await openSpillingQueue(
    openRedisQueue({ url: redis.url, now: Date.now, commandTimeoutMs: 500, throwDelayMs: 10 }),
    openSqliteQueue({ dir, durability: "normal", now: Date.now, throwDelayMs: 10 }),
    { retryMs: 50, ...hooks },
  );
  t.after(async () => {
    await queue.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return queue;
}
