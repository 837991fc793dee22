/**
 * The queue port. A lane is a durable queue with a name; one item of work is a chunk: up to some hundred events that
 * arrived together. Two drivers (sqlite, redis) and the spill wrapper pass one conformance suite (test/contract/queue/).
 */

import type { Decoded } from "./codec.ts";
import type { LaneState, StateChange } from "./state.ts";

/** What is pushed; `T`: what the body says. */
export interface Chunk<T = unknown> {
  readonly lane: string;
  /** Unique in its lane. Pushing an id that the lane still holds is a no-op. Derived from the parent's id for children. */
  readonly id: string;
  /** Opaque text: JSON lines, one event a line. */
  readonly body: string;
  /** Events in the body. */
  readonly count: number;
  /** When the events were accepted, milliseconds since the epoch. */
  readonly at: number;
  /**
   * Due so many milliseconds after it was taken, however the wall clock jumps; absent or not positive: at once. Until then
   * it counts as `delayed` and others pass it; once due it has its turn before or behind those that wait.
   */
  readonly inMs?: number;
  /** Attempts made in another queue that the chunk comes from. */
  readonly attempt?: number;
  /** The decoded body. Never stored: an item has it only while its driver still holds it in memory. */
  readonly decoded?: Decoded<T>;
}

/** What a consumer is handed; it is due, so no time is left in it. */
export interface Item extends Omit<Chunk, "inMs"> {
  /** Attempts made before this one, settled by `retry`. */
  readonly attempt: number;
  /** A process died while it handled this item, maybe with others: now it is tried on its own. */
  readonly alone?: true;
  /** What its last settlement had read of the lane's state was changed by another: nothing of that settlement happened. */
  readonly conflict?: true;
}

/** An item by its lane and its id. */
export type Named = Pick<Chunk, "lane" | "id">;

export interface DeadPart {
  readonly body: string;
  readonly count: number;
  /** Reason for people and metrics: `client_error: HTTP 400`. */
  readonly why: string;
}

/**
 * How an item ends, applied as one step: children are pushed, dead parts are kept, and the item is removed — or, with
 * `retry`, stays in its lane under its id with the new body, one attempt older, due after `inMs`. The lane's state changes
 * with it; where a version that was read is another by then, nothing of it happens and the item is handed out again, as a
 * `conflict`, for its handler to read again. Changes that are too large make a dead letter of the item instead.
 */
export interface Settlement {
  readonly next?: readonly Chunk[];
  readonly dead?: readonly DeadPart[];
  readonly retry?: Pick<Chunk, "body" | "count" | "decoded"> & { readonly inMs: number };
  readonly state?: readonly StateChange[];
}

export interface Depth {
  /** Events (not chunks). */
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly dead: number;
  /** Acceptance time of the oldest event not yet settled (dead letters left out), milliseconds since the epoch. */
  readonly oldestAt?: number;
}

export interface DeadLetter extends DeadPart {
  readonly lane: string;
  readonly id: string;
  /** When the events were accepted and when they died, milliseconds since the epoch. */
  readonly at: number;
  readonly diedAt: number;
}

export interface LetterSteps {
  /** Told after each step how many letters have gone so far. */
  readonly moved?: (letters: number) => void;
  readonly signal?: AbortSignal;
}

export interface Consumer {
  /** No new items; resolves when items in hand are settled or `deadlineMs` passed (those come back to the lane). */
  close(deadlineMs: number): Promise<void>;
  /** Nothing is handed out until `resume`. An operator's pause of a destination waits for this. */
  pause(): void;
  resume(): void;
}

export type Handle = (item: Item) => Promise<Settlement>;

export interface Queue {
  /**
   * All or nothing, in order; resolves when every chunk would survive a kill of this process (durability `normal`) or
   * of the machine (`full`). Rejects with QueueError when nothing durable is left to write to.
   */
  push(chunks: readonly Chunk[]): Promise<void>;
  /** Hands items out, oldest first, `parallel` at a time. A handler that throws has its item handed out again later. */
  consume(lane: string, handle: Handle, parallel: number): Consumer;
  /**
   * Runs the hub's own synchronous work on items in hand, so that a death of the process in it is known to be theirs: an
   * item that kills processes is put aside. What a handler does before its first wait need not be told.
   */
  during<T>(items: readonly Named[], work: () => T): T;
  /** What settlements of the lane's items have left by key. */
  state(lane: string): LaneState;
  depth(lane: string): Promise<Depth>;
  /** Lanes that hold anything, consumed here or not. */
  lanes(): Promise<readonly string[]>;
  dead(lane: string, limit: number, after?: string): Promise<readonly DeadLetter[]>;
  /**
   * Dead letters back into the lane, by id or all that there are now; resolves with the number of letters. They go in
   * steps, each of them whole or not at all: what has not gone when it is cancelled, or when the process ends, stays.
   */
  redrive(lane: string, ids?: readonly string[], steps?: LetterSteps): Promise<number>;
  /** Dead letters away for good, chosen and taken the same way. */
  discard(lane: string, ids?: readonly string[], steps?: LetterSteps): Promise<number>;
  /** How safe an accepted chunk is, and what is wrong now. */
  status(): QueueStatus;
  /** Absent: this queue keeps no files. */
  readonly originals?: Originals;
  close(): Promise<void>;
}

export interface QueueStatus {
  readonly driver: string;
  /** False: a push would be refused now. */
  readonly writable: boolean;
  /** False with a reason in `warnings`: the store may evict or forget what it took. */
  readonly durable: boolean;
  readonly warnings: readonly string[];
  /** Events in the spill, waiting for Redis. */
  readonly spilled?: number;
  /** Damaged originals that are kept; absent: none. */
  readonly damaged?: Damaged;
}

export interface Damaged {
  /** Names in the queue's directory. */
  readonly files: readonly string[];
  readonly bytes: number;
  /** Some of them are still being read back. */
  readonly reading: boolean;
  /** Events that could not be read, by lane. */
  readonly lost: Readonly<Record<string, number>>;
}

/** Events that were waiting, and events that were dead letters. */
export interface Tally {
  readonly events: number;
  readonly letters: number;
}

/** A damaged file that is kept until somebody releases it. */
export interface Original {
  /** Its name in the queue's directory. */
  readonly name: string;
  /** With what belongs to it. */
  readonly bytes: number;
  /** When it was found and moved aside, milliseconds since the epoch. */
  readonly since: number;
  /** What reading it back came to, by lane; absent: that is not over. */
  readonly report?: {
    readonly saved: Readonly<Record<string, Tally>>;
    readonly lost: Readonly<Record<string, Tally>>;
  };
}

export interface Originals {
  /** Oldest first. */
  list(): Promise<readonly Original[]>;
  /** Deletes those of the named ones that are read back, and returns them. */
  release(names: readonly string[]): Promise<readonly Original[]>;
}

export class QueueError extends Error {
  override readonly name = "QueueError";
  /** `full`: no space; `unavailable`: the store does not answer; `corrupt`; `closed`. */
  readonly kind: "full" | "unavailable" | "corrupt" | "closed";
  constructor(kind: QueueError["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}
