/** Opens embedded queues in folders of their own, and empties lanes. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Queue } from "../../src/queue/queue.ts";
import { openSqliteQueue } from "../../src/queue/sqlite/driver.ts";
import type { SqliteSettings } from "../../src/queue/sqlite/settings.ts";
import { recorder } from "./queues.ts";
import { until } from "./until.ts";

export function folder(t: TestContext, parent = tmpdir()): string {
  const dir = mkdtempSync(join(parent, "eyrie-queue-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export const open = (dir: string, more: Partial<SqliteSettings> = {}) =>
  openSqliteQueue({ dir, durability: "normal", now: Date.now, throwDelayMs: 10, ...more });

/** Everything a lane holds, in order. */
export async function empty(queue: Queue, lane: string, expected: number): Promise<string[]> {
  const { items, handle } = recorder();
  const consumer = queue.consume(lane, handle, 1);
  await until(`${expected} items`, () => items.length >= expected);
  await consumer.close(1000);
  return items.map((i) => i.id);
}
