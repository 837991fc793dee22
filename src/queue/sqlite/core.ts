/** What the parts of the embedded queue share. */

import type { Handling } from "../handling.ts";
import type { Memory } from "../memory.ts";
import { type Cache, createLane, type Lane } from "./lane.ts";
import type { States } from "./states.ts";
import type { Store } from "./store.ts";
import type { Batch } from "./write.ts";

export type QueueLog = (level: "info" | "warn" | "error", message: string) => void;

export interface Core {
  store: Store;
  readonly lanes: Map<string, Lane>;
  readonly cache: Cache;
  readonly memory: Memory;
  batch: Batch;
  readonly states: States;
  /** Milliseconds since the epoch at open, counted on by a monotonic clock: no wall clock's jump moves a retry. */
  readonly clock: () => number;
  readonly now: () => number;
  readonly log: QueueLog;
  readonly handling: Handling;
  readonly throwDelayMs: number;
  readonly warnings: string[];
  /** Events became dead letters by the queue's own doing. */
  readonly putAside: (lane: string, why: string, events: number) => void;
  /** Events of dead letters that were dropped to make room. */
  readonly dropped: (lane: string, events: number) => void;
  writable: boolean;
  closed: boolean;
  /** The store is in memory, for want of room: nothing new is taken. */
  volatile: boolean;
  /** Every page of the file was looked at when it was opened. */
  checked: boolean;
  /** The file is damaged: nothing is read from it until a new one stands in its place. */
  sick: boolean;
  /** Events of items, as `lane seq`, that were finished while their damaged file was moved aside: nobody owes them. */
  readonly finished: Map<string, number>;
  /** The log of a queue of durability `full`, to be synced. */
  walFd: number | undefined;
  seq: number;
  bodySeq: number;
  laneKey: number;
  /** Hands out what the lane has waited for. */
  readonly wake: (lane: Lane) => void;
  /** Asks for the batch to be written soon. */
  schedule: () => void;
  /** Reports an error of the store. Damage has a new file opened and the old one read back. Never throws. */
  failed: (error: unknown) => void;
}

export const itemKey = (lane: string, seq: number): string => `${lane} ${seq}`;

export function laneOf(core: Core, name: string): Lane {
  let lane = core.lanes.get(name);
  if (!lane) {
    lane = createLane(name, ++core.laneKey, false, core.wake);
    core.lanes.set(name, lane);
  }
  return lane;
}
