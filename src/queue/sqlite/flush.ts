/** Group commit: everything that came since the last write goes into one transaction, then memory follows. */

import { fdatasync } from "node:fs";
import { QueueError } from "../queue.ts";
import { admitAll, refuse } from "./admit.ts";
import { apply } from "./apply.ts";
import type { Core } from "./core.ts";
import { dispatch } from "./handout.ts";
import type { Rec } from "./lane.ts";
import { isFull } from "./open.ts";
import { armTimer } from "./window.ts";
import { type Batch, emptyBatch, type Settled, type Written, writeBatch } from "./write.ts";

/** Under load a write waits until this long after the one before; on an idle queue nothing waits. */
const windowMs = 2;
const retryMs = 250;

export interface Flusher {
  /** Resolves when everything asked for so far is written, or could not be. */
  settled(): Promise<void>;
  /** Writes what is there, where that takes no waiting. */
  catchUp(): void;
  /** Something asked for is not written yet. */
  busy(): boolean;
  /** A write is on its way to the disk itself. */
  syncing(): boolean;
  stop(): void;
}

/** With `core.walFd` every write reaches the disk itself before its pushes resolve. `onFull`: true when it made room. */
export const createFlusher = (core: Core, onFull: () => boolean): Flusher => new GroupCommit(core, onFull);

class GroupCommit implements Flusher {
  readonly #core: Core;
  readonly #onFull: () => boolean;
  #planned: NodeJS.Immediate | NodeJS.Timeout | undefined;
  #syncing = false;
  #lastAt = 0;
  #stopped = false;
  /** Settlements of one write: after a refusal few, on their own, for they make room and need little themselves. */
  #few = Number.POSITIVE_INFINITY;
  readonly #waiters: (() => void)[] = [];
  readonly #flush = () => this.#write();

  constructor(core: Core, onFull: () => boolean) {
    this.#core = core;
    this.#onFull = onFull;
    core.schedule = () => this.#schedule(false);
  }

  settled(): Promise<void> {
    return this.busy() ? new Promise((resolve) => this.#waiters.push(resolve)) : Promise.resolve();
  }

  catchUp(): void {
    const { batch, writable } = this.#core;
    if (!this.#syncing && writable && batch.pushed.length + batch.settled.length > 0) this.#write();
  }

  busy(): boolean {
    const { batch } = this.#core;
    return this.#planned !== undefined || this.#syncing || batch.pushed.length + batch.settled.length > 0;
  }

  syncing(): boolean {
    return this.#syncing;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelPlan();
  }

  /** `soon`: there may be room now, whatever the last write said. */
  #schedule(soon: boolean): void {
    if (this.#planned || this.#syncing || this.#stopped) return;
    const core = this.#core;
    const wait = core.writable || soon ? windowMs - (core.clock() - this.#lastAt) : retryMs;
    this.#planned = wait <= 0 ? setImmediate(this.#flush) : setTimeout(this.#flush, wait);
  }

  #cancelPlan(): void {
    clearImmediate(this.#planned as NodeJS.Immediate);
    clearTimeout(this.#planned as NodeJS.Timeout);
    this.#planned = undefined;
  }

  #write(): void {
    this.#cancelPlan();
    if (this.#syncing) return;
    const core = this.#core;
    // A new file is about to stand in the place of this one.
    if (core.sick) {
      this.#schedule(false);
      return;
    }
    const batch = takeBatch(core, this.#few);
    let written: Written;
    try {
      written = write(core, batch);
    } catch (error) {
      this.#failed(batch, error);
      return;
    }
    // From here on it stands on the disk: whatever fails now must not take it back.
    if (core.walFd === undefined) this.#done(batch, written);
    else this.#sync(core.walFd, batch, written);
  }

  #sync(fd: number, batch: Batch, written: Written): void {
    this.#syncing = true;
    fdatasync(fd, (error) => {
      this.#syncing = false;
      this.#done(batch, written, error ?? undefined);
    });
  }

  #done(batch: Batch, written: Written, syncError?: Error): void {
    const core = this.#core;
    // Folded, the log has places that are used again.
    if (core.store.isLong() || this.#few < Number.POSITIVE_INFINITY) attempt(() => core.store.fold());
    this.#few = this.#few < 1000 ? this.#few * 2 : Number.POSITIVE_INFINITY;
    core.writable = syncError === undefined;
    const lanes = apply(core, batch, written);
    const refusal = syncError && new QueueError("unavailable", "the disk does not confirm writes");
    for (const w of batch.waiters) refusal ? w.reject(refusal) : w.resolve();
    for (const { free } of batch.settled) free?.();
    for (const lane of lanes) {
      armTimer(core, lane);
      dispatch(core, lane);
    }
    this.#lastAt = core.clock();
    // What came meanwhile, or was left for later.
    if (this.busy() || core.batch.waiters.length > 0) this.#schedule(false);
    this.#rest();
  }

  #failed(batch: Batch, error: unknown): void {
    const core = this.#core;
    attempt(() => core.store.rollback());
    core.failed(error);
    const kind = isFull(error) ? "full" : core.sick ? "corrupt" : "unavailable";
    core.writable = false;
    this.#few = Math.max(1, Math.ceil(Math.min(this.#few, batch.settled.length) / 2));
    // Whoever waits behind a few settlements is not kept waiting.
    const behind = core.batch;
    core.batch = emptyBatch();
    for (const rec of [...batch.pushed, ...behind.pushed]) refuse(core, rec);
    // What was finished stays finished: it is written when the disk lets it.
    core.batch.settled.push(...[...batch.settled, ...behind.settled].filter((s) => keepable(core, s)));
    core.states.forget();
    const message = kind === "full" ? "no space left for the queue" : "the queue cannot be written";
    const refusal = new QueueError(kind, message);
    for (const w of [...batch.waiters, ...behind.waiters]) w.reject(refusal);
    const soon = kind === "full" && this.#onFull();
    if (kind === "full") attempt(() => core.store.fold());
    this.#lastAt = core.clock();
    // Also without anything to write the disk is tried again, so that status tells the truth.
    if (!this.#stopped) this.#schedule(soon);
    this.#rest();
  }

  #rest(): void {
    if (this.busy() && this.#core.writable) return;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

/** Everything; after a refusal first some of what is finished. */
function takeBatch(core: Core, few: number): Batch {
  const batch = core.batch;
  const stored = few < Number.POSITIVE_INFINITY ? batch.settled.filter((s) => s.rec.state === "stored") : [];
  if (stored.length === 0) {
    core.batch = emptyBatch();
    return batch;
  }
  const taken = new Set(stored.slice(0, few));
  core.batch = { ...batch, settled: batch.settled.filter((s) => !taken.has(s)) };
  return { ...emptyBatch(), settled: [...taken] };
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
  const ended = new Set<Rec>();
  const written = writeBatch(batch, {
    store: core.store,
    begin: ({ rec, settlement, children, changes }) => {
      // An item that came back to its lane meanwhile may have been settled twice.
      if (rec.state === "gone" || ended.has(rec) || !core.states.write(changes)) return false;
      ended.add(rec);
      admitAll(core, settlement.next ?? [], (child) => children.push(child));
      return true;
    },
    nextBody: () => ++core.bodySeq,
    now: core.now,
    dueIn: (lane, ms) => Math.max(Math.ceil(core.clock() + Math.max(0, ms)), lane.dueFrom.due + 1),
  });
  // After a failed write the file itself is probed: a transaction that changes nothing proves nothing.
  if (!core.writable) core.store.setMeta("probe", ++core.bodySeq);
  core.store.commit();
  for (const s of batch.settled) if (s.changes.length > 0) core.states.ended(s.changes, written.refused.has(s));
  return written;
}

function keepable(core: Core, s: Settled): boolean {
  if (s.rec.state === "stored" && s.changes.length === 0) return true;
  for (const child of s.children.splice(0)) refuse(core, child);
  if (s.rec.state === "stored") return true;
  s.free?.();
  return false;
}
