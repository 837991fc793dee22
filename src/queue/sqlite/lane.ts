/** What the embedded queue keeps in memory of one lane: never more than a window of what is on disk. */

import { type Fifo, fifo } from "../fifo.ts";
import { createTenant, type Grant, type Tenant } from "../memory.ts";
import type { Chunk, Handle } from "../queue.ts";
import { type Counted, type Counters, nothingCounted } from "./counters.ts";
import type { ItemRow } from "./item-table.ts";

/**
 * One item the process knows of. `new`: not on disk yet; `gone`: settled, refused or a double; `aside`: in hand when its
 * damaged file was moved aside.
 */
export interface Rec extends Counted {
  readonly lane: Lane;
  readonly seq: number;
  readonly id: string;
  readonly at: number;
  attempt: number;
  /** Processes that died while they handled it. */
  crashes: number;
  /** Its settlement was refused, for what it had read has changed. */
  conflict: boolean;
  due: number;
  /** Not on disk yet, and from then on due in so many milliseconds; 0: at once. What is due later is read from disk. */
  readonly inMs: number;
  bodySeq: number;
  shared: boolean;
  state: "new" | "stored" | "gone" | "aside";
  body: string | undefined;
  decoded: Chunk["decoded"];
  /** Bytes of the stored body, once they are known. */
  bytes: number | undefined;
  /** Memory that it takes while it is in hand. */
  grant: Grant | undefined;
  /** Bytes counted against the cache, 0: not cached. */
  cached: number;
  /** Counts hand-outs: a settlement of an earlier one is ignored. */
  turn: number;
}

export interface Slot {
  readonly handle: Handle;
  readonly parallel: number;
  inHand: number;
  paused: boolean;
  closed: boolean;
  readonly recs: Set<Rec>;
  idle?: () => void;
}

export interface Lane extends Counters {
  readonly name: string;
  readonly key: number;
  stored: boolean;
  ready: Fifo<Rec>;
  /** Delayed items whose time has come: older than anything in `ready`. */
  late: Fifo<Rec>;
  /** Ids of items that are not on disk yet. */
  readonly fresh: Set<string>;
  /** Every item in `ready`, `late` or in hand, by number. */
  readonly known: Map<number, Rec>;
  readonly slots: Slot[];
  readonly tenant: Tenant;
  /** The first in line, which waits for memory, or because a process died of it until nothing else is in hand. */
  next: Rec | undefined;
  /** An item that a process died of: it is in hand alone. */
  alone: Rec | undefined;
  /** There are ready rows on disk behind `cursor`. */
  behind: boolean;
  cursor: number;
  dueFrom: { due: number; seq: number };
  timer: NodeJS.Timeout | undefined;
  timerAt: number;
  /** The file could not be read: nothing is handed out before. */
  restUntil: number;
  /** Bodies of retried items, kept for when they are due. */
  readonly parked: Map<number, Rec>;
  cached: number;
  /** The item accepted first, when it is known. */
  oldest: { readonly seq: number; readonly at: number } | undefined;
}

export const createLane = (name: string, key: number, stored: boolean, wake: (lane: Lane) => void): Lane => {
  const lane: Lane = {
    name,
    key,
    stored,
    ready: fifo(),
    late: fifo(),
    fresh: new Set(),
    known: new Map(),
    slots: [],
    tenant: createTenant(() => wake(lane)),
    next: undefined,
    alone: undefined,
    behind: stored,
    cursor: 0,
    dueFrom: { due: 0, seq: 0 },
    timer: undefined,
    timerAt: 0,
    restUntil: 0,
    parked: new Map(),
    cached: 0,
    oldest: undefined,
    ...nothingCounted,
  };
  return lane;
};

const unused = { conflict: false, inMs: 0, bytes: undefined, grant: undefined, cached: 0, turn: 0, active: false };
const fresh = { ...unused, attempt: 0, crashes: 0, due: 0, bodySeq: 0, shared: false };

export const recOf = (lane: Lane, seq: number, c: Chunk): Rec => ({
  ...fresh,
  attempt: c.attempt ?? 0,
  inMs: Math.ceil(Math.max(0, c.inMs ?? 0)),
  lane,
  seq,
  id: c.id,
  at: c.at,
  count: c.count,
  state: "new",
  body: c.body,
  decoded: c.decoded,
});

export const recOfRow = (lane: Lane, row: ItemRow): Rec => ({
  ...row,
  lane,
  state: "stored",
  body: undefined,
  decoded: undefined,
  ...unused,
});

/** `limit`: bytes of memory that hand-outs may save a read with; a lane may have as much as it leaves free. */
export function createCache(limit: number) {
  let used = 0;
  const drop = (rec: Rec) => {
    used -= rec.cached;
    rec.lane.cached -= rec.cached;
    rec.cached = 0;
  };
  return {
    /** Keeps the body while it fits; a body that does not fit is read from disk when its turn comes. */
    keep: (rec: Rec) => {
      if (rec.cached > 0 || rec.body === undefined) return;
      // A decoded body is taken for three times its text.
      const bytes = 256 + rec.body.length * (rec.decoded === undefined ? 1 : 4);
      if (rec.lane.cached + bytes > limit - used - bytes) {
        // A new item's body is still to be written.
        if (rec.state === "new") return;
        rec.body = undefined;
        rec.decoded = undefined;
        return;
      }
      rec.cached = bytes;
      used += bytes;
      rec.lane.cached += bytes;
    },
    /** The body leaves the cache's account: it is in hand, or gone. */
    drop,
  };
}
export type Cache = ReturnType<typeof createCache>;
