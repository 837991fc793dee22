/** A Redis of a test's own and queues on it, ended with the test. */

import type { TestContext } from "node:test";
import { openRedisQueue, type RedisQueueSettings } from "../../src/queue/redis/driver.ts";
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
