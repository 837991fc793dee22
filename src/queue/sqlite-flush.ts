/** Group commit: everything that came since the last write goes into one transaction, then memory follows. */

import { fdatasync } from "node:fs";
import { QueueError } from "./queue.ts";
import type { Core } from "./sqlite-core.ts";
import { armTimer, dispatch, enlist } from "./sqlite-handout.ts";
import type { Lane, Rec } from "./sqlite-lane.ts";
import { isCorrupt, isFull } from "./sqlite-open.ts";
import { type Batch, emptyBatch, type Settled, type Written, writeBatch } from "./sqlite-write.ts";

/** Under load a write waits until this long after the one before; on an idle queue nothing waits. */
const windowMs = 2;
const retryMs = 250;

export interface Flusher {
  /** Writes what is there now, without waiting. */
  flush(): void;
  /** Resolves when everything asked for so far is written, or could not be. */
  settled(): Promise<void>;
  /** Something asked for is not written yet. */
  busy(): boolean;
  stop(): void;
}

/** `walFd` set: every write reaches the disk itself before its pushes resolve. `repair` rebuilds a damaged file. */
export function createFlusher(core: Core, walFd: number | undefined, repair: () => void): Flusher {
  let planned: NodeJS.Immediate | NodeJS.Timeout | undefined;
  let syncing = false;
  let lastAt = 0;
  let stopped = false;
  const waiters: (() => void)[] = [];
  const busy = () => planned !== undefined || syncing || core.batch.pushed.length + core.batch.settled.length > 0;

  const schedule = () => {
    if (planned || syncing || stopped) return;
    const wait = core.writable ? windowMs - (core.clock() - lastAt) : retryMs;
    planned = wait <= 0 ? setImmediate(flush) : setTimeout(flush, wait);
  };
  core.schedule = schedule;

  function cancelPlan() {
    clearImmediate(planned as NodeJS.Immediate);
    clearTimeout(planned as NodeJS.Timeout);
    planned = undefined;
  }

  function flush() {
    cancelPlan();
    if (syncing) return;
    const batch = core.batch;
    core.batch = emptyBatch();
    try {
      const written = write(core, batch);
      if (walFd === undefined) done(batch, written);
      else sync(walFd, batch, written);
    } catch (error) {
      fail(batch, error);
    }
  }

  function sync(fd: number, batch: Batch, written: Written) {
    syncing = true;
    fdatasync(fd, (error) => {
      syncing = false;
      done(batch, written, error ?? undefined);
      // What came meanwhile could not be planned.
      if (planned === undefined && (busy() || core.batch.waiters.length > 0)) schedule();
    });
  }

  function done(batch: Batch, written: Written, syncError?: Error) {
    core.writable = syncError === undefined;
    const lanes = apply(core, batch, written);
    const refusal = syncError && new QueueError("unavailable", "the disk does not confirm writes");
    for (const w of batch.waiters) refusal ? w.reject(refusal) : w.resolve();
    for (const lane of lanes) {
      armTimer(core, lane);
      dispatch(core, lane);
    }
    lastAt = core.clock();
    rest();
  }

  function fail(batch: Batch, error: unknown) {
    attempt(() => core.store.rollback());
    const kind = isFull(error) ? "full" : isCorrupt(error) ? "corrupt" : "unavailable";
    if (core.writable) core.log("error", `queue: a write failed (${kind}): ${(error as Error).message}`);
    core.writable = false;
    if (kind === "corrupt") attempt(repair);
    for (const rec of batch.pushed) refuse(core, rec);
    // What was finished stays finished: it is written when the disk lets it.
    const kept = batch.settled.filter((s) => keepable(core, s));
    core.batch.settled.unshift(...kept);
    const refusal = new QueueError(
      kind,
      kind === "full" ? "no space left for the queue" : "the queue cannot be written",
    );
    for (const w of batch.waiters) w.reject(refusal);
    lastAt = core.clock();
    // Also without anything to write the disk is tried again, so that status tells the truth.
    if (!stopped) schedule();
    rest();
  }

  function rest() {
    if (busy() && core.writable) return;
    for (const resolve of waiters.splice(0)) resolve();
  }

  return {
    flush,
    settled: () => (busy() ? new Promise((resolve) => waiters.push(resolve)) : Promise.resolve()),
    busy,
    stop: () => {
      stopped = true;
      cancelPlan();
    },
  };
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The next write tells whether it helped.
  }
}

function write(core: Core, batch: Batch): Written {
  core.store.begin();
  const written = writeBatch(batch, {
    store: core.store,
    nextBody: () => ++core.bodySeq,
    now: core.now,
    dueIn: (lane, ms) => Math.max(Math.ceil(core.clock() + Math.max(0, ms)), lane.dueFrom.due + 1),
  });
  // After a failed write the file itself is probed: a transaction that changes nothing proves nothing.
  if (!core.writable) core.store.setMeta("probe", ++core.bodySeq);
  core.store.commit();
  return written;
}

function refuse(core: Core, rec: Rec): void {
  rec.state = "gone";
  rec.lane.total -= rec.count;
  if (rec.active) rec.lane.active -= rec.count;
  rec.active = false;
  rec.lane.fresh.delete(rec.id);
  rec.lane.known.delete(rec.seq);
  core.cache.drop(rec);
}

function keepable(core: Core, s: Settled): boolean {
  if (s.rec.state === "stored") return true;
  for (const child of s.children) refuse(core, child);
  return false;
}

/** Brings memory in line with what was written; returns the lanes that may have something to hand out. */
function apply(core: Core, batch: Batch, written: Written): Set<Lane> {
  const touched = new Set<Lane>();
  for (const rec of batch.pushed) {
    rec.lane.fresh.delete(rec.id);
    if (written.skipped.has(rec)) continue;
    rec.lane.stored = true;
    rec.state = "stored";
    // In hand the handler has the text; outside it lives on only as far as the cache counts it.
    if (rec.cached === 0) rec.body = rec.live = undefined;
  }
  for (const { rec, children, settlement } of batch.settled) {
    const { lane } = rec;
    const later = written.delayed.get(rec);
    if (rec.active) lane.active -= rec.count;
    rec.active = false;
    if (lane.known.get(rec.seq) === rec) lane.known.delete(rec.seq);
    lane.total -= rec.count;
    if (later) {
      lane.total += later.count;
      lane.delayed += later.count;
      park(core, rec, later.due, settlement.retry);
    }
    rec.state = "gone";
    touched.add(lane);
    for (const child of children) {
      child.lane.fresh.delete(child.id);
      child.lane.stored = true;
      if (written.doubles.has(child)) {
        child.lane.total -= child.count;
        child.state = "gone";
        continue;
      }
      child.state = "stored";
      enlist(core, child);
      touched.add(child.lane);
    }
  }
  for (const [lane, count] of written.died) {
    lane.dead += count;
    lane.stored = true;
  }
  return touched;
}

/** Keeps a retried item's body at hand for the next attempt while the cache has room. */
function park(core: Core, rec: Rec, due: number, retry: { body: string; live?: unknown } | undefined): void {
  if (!retry || due - core.clock() > 60_000 || rec.lane.known.has(rec.seq)) return;
  const parked: Rec = { ...rec, crashes: 0, state: "stored", body: retry.body, live: retry.live, cached: 0 };
  core.cache.keep(parked);
  if (parked.cached > 0) rec.lane.parked.set(rec.seq, parked);
}
