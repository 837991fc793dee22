import { randomUUID } from "node:crypto";
import type { Codec } from "../queue/codec.ts";
import type { Chunk } from "../queue/queue.ts";

/** Group commit: requests that arrive together share one durable write. */
export interface GroupCommit<T> {
  /** Resolves when the lines are durable; rejects with the queue's error. `values`: what the lines say. */
  add(lines: readonly string[], values: readonly T[]): Promise<void>;
  /** Resolves when everything added so far is settled. */
  idle(): Promise<void>;
}

export interface GroupLimits<T> {
  readonly lane: string;
  /** Writes and reads the lines. */
  readonly codec: Codec<readonly T[]>;
  /** Of one chunk. */
  readonly maxEvents: number;
  readonly maxBytes: number;
  /** How long a chunk may fill when the write before it was less than this ago, milliseconds. */
  readonly lingerMs: number;
}

interface Filling<T> {
  readonly lines: string[];
  readonly values: T[];
  bytes: number;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * While one write is in flight the next one fills. An idle hub writes in the same turn of the event loop; a busy one
 * waits `lingerMs` at most, so that one write pays for the requests of that time. A write holds all lines of a request.
 */
export const openGroupCommit = <T>(
  push: (chunks: readonly Chunk<readonly T[]>[]) => Promise<void>,
  limits: GroupLimits<T>,
  now: () => number,
): GroupCommit<T> => {
  let chunks: Filling<T>[] = [];
  let waiting: Waiter[] = [];
  let inFlight = 0;
  let scheduled = false;
  let lastFlush = 0;
  let idlers: (() => void)[] = [];

  const place = (line: string, value: T): void => {
    let last = chunks[chunks.length - 1];
    if (!last || last.lines.length >= limits.maxEvents || last.bytes + line.length > limits.maxBytes) {
      last = { lines: [], values: [], bytes: 0 };
      chunks.push(last);
    }
    last.lines.push(line);
    last.values.push(value);
    last.bytes += line.length;
  };

  const flush = (): void => {
    scheduled = false;
    const at = now();
    const written = chunks.map(
      (c): Chunk<readonly T[]> => ({
        lane: limits.lane,
        id: randomUUID(),
        body: c.lines.join("\n"),
        count: c.lines.length,
        at,
        decoded: { codec: limits.codec, value: c.values },
      }),
    );
    const waiters = waiting;
    chunks = [];
    waiting = [];
    lastFlush = at;
    inFlight++;
    push(written).then(
      () => answer(waiters, (w) => w.resolve()),
      (error: unknown) => answer(waiters, (w) => w.reject(error)),
    );
  };

  const answer = (waiters: readonly Waiter[], end: (w: Waiter) => void): void => {
    inFlight--;
    for (const w of waiters) end(w);
    if (inFlight > 0 || scheduled) return;
    for (const resolve of idlers) resolve();
    idlers = [];
  };

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    if (now() - lastFlush < limits.lingerMs) setTimeout(flush, limits.lingerMs);
    else setImmediate(flush);
  };

  return {
    add: (lines, values) =>
      new Promise((resolve, reject) => {
        if (lines.length === 0) return resolve();
        values.forEach((value, i) => {
          place(lines[i] ?? "", value);
        });
        waiting.push({ resolve, reject });
        schedule();
      }),
    idle: () => (inFlight === 0 && !scheduled ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
  };
};
