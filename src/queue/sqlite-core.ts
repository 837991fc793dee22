/** What the parts of the embedded queue share. */

import { type Cache, createLane, type Lane } from "./sqlite-lane.ts";
import type { Store } from "./sqlite-store.ts";
import type { Batch } from "./sqlite-write.ts";

export type QueueLog = (level: "info" | "warn" | "error", message: string) => void;

export interface Core {
  store: Store;
  readonly lanes: Map<string, Lane>;
  readonly cache: Cache;
  batch: Batch;
  /** Milliseconds since the epoch at open, counted on by a monotonic clock: no wall clock's jump moves a retry. */
  readonly clock: () => number;
  readonly now: () => number;
  readonly log: QueueLog;
  /** Items up to this number were on disk when a process had died before: they are marked when handed out. */
  readonly suspectUntil: number;
  readonly throwDelayMs: number;
  readonly warnings: string[];
  /** Events of dead letters that were dropped to make room. */
  readonly dropped: (lane: string, events: number) => void;
  writable: boolean;
  closed: boolean;
  seq: number;
  bodySeq: number;
  laneKey: number;
  /** Asks for the batch to be written soon. */
  schedule: () => void;
}

export function laneOf(core: Core, name: string): Lane {
  let lane = core.lanes.get(name);
  if (!lane) {
    lane = createLane(name, ++core.laneKey, false);
    core.lanes.set(name, lane);
  }
  return lane;
}
