/** Chooses the queue's driver. */

import { join } from "node:path";
import { openHandling } from "./handling.ts";
import { createMemory } from "./memory.ts";
import type { Queue } from "./queue.ts";
import type { RedisSettings } from "./redis/connect.ts";
import { openSpillingQueue, type SpillHooks } from "./spill.ts";
import type { QueueLog } from "./sqlite/core.ts";
import { openSqliteQueue } from "./sqlite/driver.ts";

export interface QueueSettings {
  readonly driver: "sqlite" | "redis";
  readonly durability: "normal" | "full";
  /** Where the embedded queue, or Redis's spill, keeps its files. */
  readonly datadir: string;
  /** Folder of the spill in it; processes that share a data directory need one each. Default `spill`. */
  readonly spill?: string;
  /** Size of the embedded queue at which pushes are refused. */
  readonly maxBytes?: number;
  /** Bytes of memory for items in hand and for bodies that wait for their turn, over all lanes. */
  readonly memory?: number;
  readonly redis?: RedisSettings & { readonly prefix?: string; readonly commandTimeoutMs?: number };
}

export interface QueueDeps extends SpillHooks {
  readonly now: () => number;
  readonly log?: QueueLog;
  /** A worker on Redis had stopped fetching and was replaced. */
  readonly onReplaced?: (lane: string) => void;
  /** Events became dead letters that no handler gave up: `poison`, `corrupt`. */
  readonly onDead?: (lane: string, reason: string, events: number) => void;
  /** Events of dead letters were dropped to keep to the bounds. */
  readonly onDropped?: (lane: string, events: number) => void;
}

/** Where the embedded queue keeps its files, or Redis's spill. */
export const localFolder = ({ driver, datadir, spill = "spill" }: QueueSettings): string =>
  join(datadir, driver === "sqlite" ? "queue" : spill);

/** Rejects with QueueError when the directory cannot be used. Redis need not be there yet. */
export async function openQueue(settings: QueueSettings, deps: QueueDeps): Promise<Queue> {
  const { driver, durability, maxBytes } = settings;
  const dir = localFolder(settings);
  const common = {
    durability,
    now: deps.now,
    memory: createMemory(settings.memory),
    ...(deps.log ? { log: deps.log } : {}),
    ...(deps.onDead ? { onDead: deps.onDead } : {}),
    ...(deps.onDropped ? { onDropped: deps.onDropped } : {}),
  };
  const size = maxBytes === undefined ? {} : { maxBytes };
  if (driver === "sqlite") return openSqliteQueue({ ...common, ...size, dir });
  const local = openSqliteQueue({ ...common, ...size, dir });
  // Loaded here: the embedded driver's users never pay for it.
  const { openRedisQueue } = await import("./redis/driver.ts");
  const redis = openRedisQueue({
    ...settings.redis,
    ...common,
    handling: openHandling(join(dir, "handling-redis")),
    ...(maxBytes !== undefined && Number.isFinite(maxBytes) ? { letterBytes: maxBytes / 4 } : {}),
    ...(deps.onReplaced ? { onReplaced: deps.onReplaced } : {}),
  });
  return openSpillingQueue(redis, local, deps);
}
