/** One transaction of the embedded queue: pushes, settlements and marks of everything that came together. */

import { letterIds } from "../ids.ts";
import type { Settlement } from "../queue.ts";
import type { Lane, Rec } from "./lane.ts";
import type { Staged } from "./states.ts";
import type { Store } from "./store.ts";

export interface Settled {
  readonly rec: Rec;
  /** Of the item's hand-outs the one that this ends. */
  readonly turn: number;
  readonly body: string;
  readonly settlement: Settlement;
  /** Where state changes they are admitted, and counted, when it is known that it may. */
  readonly children: Rec[];
  readonly changes: readonly Staged[];
  /** The handler threw: the item comes back as it was. */
  readonly asItWas: boolean;
  /** Called when it is written, or refused for good: its consumer may take another item. */
  readonly free: (() => void) | undefined;
}

export interface Batch {
  readonly pushed: Rec[];
  readonly settled: Settled[];
  readonly waiters: { resolve(): void; reject(error: Error): void }[];
}

export const emptyBatch = (): Batch => ({ pushed: [], settled: [], waiters: [] });

export interface WriteFacts {
  readonly store: Store;
  nextBody(): number;
  /** Changes the state and admits the children. False: the settlement is refused. */
  begin(settled: Settled): boolean;
  /** When something of the lane is due, in the queue's own clock. */
  dueIn(lane: Lane, ms: number): number;
  now(): number;
}

/** The outcome of a batch, to be applied to memory once the transaction stands. */
export interface Written {
  /** Children whose id the lane held already. */
  readonly doubles: Set<Rec>;
  /** Pushed and finished within this batch: never written. */
  readonly skipped: Set<Rec>;
  readonly delayed: Map<Rec, { due: number; count: number; attempt: number; bodySeq: number; shared: boolean }>;
  /** Nothing of them was written: they are to be handled again. */
  readonly refused: Set<Settled>;
  /** Dead events per lane. */
  readonly died: Map<Lane, number>;
}

export function writeBatch(batch: Batch, facts: WriteFacts): Written {
  const out: Written = {
    doubles: new Set(),
    skipped: new Set(),
    delayed: new Map(),
    refused: new Set(),
    died: new Map(),
  };
  // What may be refused yet is written first.
  const finished = new Set(
    batch.settled.filter((s) => !s.settlement.retry && s.changes.length === 0).map((s) => s.rec),
  );
  /** Items of one push by their body: an alert for several outputs is pushed once for each of them, in a row. */
  const twins = new Map<string, Rec[]>();
  let id: string | undefined;
  const addAll = () => {
    for (const recs of twins.values()) addTwins(recs, out, facts);
    twins.clear();
  };
  for (const rec of batch.pushed) {
    if (finished.has(rec)) {
      out.skipped.add(rec);
      continue;
    }
    if (rec.id !== id) addAll();
    id = rec.id;
    const body = rec.body ?? "";
    const group = twins.get(body);
    if (group) group.push(rec);
    else twins.set(body, [rec]);
  }
  addAll();
  /** What many lanes finish together is taken away together. */
  const over: { lane: number; seq: number; count: number }[] = [];
  const left = new Map<number, number>();
  const { store } = facts;
  const leave = (body: number, shared: boolean) => {
    if (shared) left.set(body, (left.get(body) ?? 0) + 1);
    else store.leaveBody(body, false);
  };
  for (const s of batch.settled) {
    if (s.changes.length > 0 && !facts.begin(s)) {
      out.refused.add(s);
      continue;
    }
    const kept = s.settlement.retry ? undefined : s;
    const parent = kept && !out.skipped.has(s.rec) ? s.rec : undefined;
    addChildren(s, parent, out, facts, leave);
    if (parent && s.children.length === 0) over.push({ lane: parent.lane.key, seq: parent.seq, count: parent.count });
    addDead(s, out, facts);
    if (s.settlement.retry) delay(s, s.settlement.retry, out, facts, leave);
  }
  store.dropItems(over);
  for (const [body, holders] of left) store.leaveBody(body, true, holders);
  return out;
}

function storeLane(lane: Lane, store: Store): void {
  if (!lane.stored) store.addLane(lane.key, lane.name);
}

/** Adds items of one body, which is stored once. */
function addTwins(recs: readonly Rec[], out: Written, facts: WriteFacts): void {
  const { store, nextBody } = facts;
  const [first] = recs;
  if (!first) return;
  const bodySeq = nextBody();
  const added = addItems(recs, bodySeq, recs.length > 1, out, facts);
  if (added > 0 && recs.length > 1) store.addHolders(bodySeq, added);
  if (added > 0) store.addBody(bodySeq, first.lane.key, first, first.body ?? "");
}

/** Returns how many their lanes did not hold already. */
function addItems(recs: readonly Rec[], bodySeq: number, shared: boolean, out: Written, facts: WriteFacts): number {
  const { store } = facts;
  for (const rec of recs) {
    if (rec.inMs > 0) rec.due = facts.dueIn(rec.lane, rec.inMs);
    storeLane(rec.lane, store);
    rec.bodySeq = bodySeq;
    rec.shared = shared;
  }
  const keys = recs.map(({ lane }) => lane.key);
  // One statement for many lanes; for few the plain one is cheaper.
  const alike = recs.length > 3 && new Set(keys).size === recs.length && recs.every(({ due }) => due === 0);
  const added = alike ? store.addItems(keys, recs) : undefined;
  let count = 0;
  for (const rec of recs) {
    const isNew = added ? added.has(rec.lane.key) : store.addItem(rec.lane.key, rec, rec.inMs);
    if (isNew) count++;
    else out.doubles.add(rec);
  }
  return count;
}

/** Adds the children and removes the parent. Children with the parent's own body take it over: nothing is copied. */
function addChildren(
  s: Settled,
  parent: Rec | undefined,
  out: Written,
  facts: WriteFacts,
  leave: (body: number, shared: boolean) => void,
): void {
  const { store, nextBody } = facts;
  const groups: { body: string; recs: Rec[] }[] = [];
  for (const rec of s.children) {
    const body = rec.body ?? "";
    const group = groups.find((g) => g.body === body);
    if (group) group.recs.push(rec);
    else groups.push({ body, recs: [rec] });
  }
  let heirs = 0;
  for (const { body, recs } of groups) {
    const inherits = parent !== undefined && body === s.body;
    const bodySeq = inherits ? parent.bodySeq : nextBody();
    const shared = recs.length > 1 || (inherits && parent.shared);
    const added = addItems(recs, bodySeq, shared, out, facts);
    if (added > 0 && shared) store.addHolders(bodySeq, added);
    if (inherits) heirs = added;
    else if (added > 0) store.addBody(bodySeq, (recs[0] as Rec).lane.key, recs[0] as Rec, body);
  }
  if (!parent) return;
  if (s.children.length > 0) store.dropItem(parent.lane.key, parent, true);
  // With heirs the parent's own hold ends; without sharing the only heir simply has the body now.
  if (heirs === 0 || parent.shared) leave(parent.bodySeq, parent.shared);
}

function addDead(s: Settled, out: Written, { store, now }: WriteFacts): void {
  const { dead = [] } = s.settlement;
  const ids = letterIds(s.rec, dead);
  dead.forEach((part, i) => {
    const { rec } = s;
    storeLane(rec.lane, store);
    const letter = { id: ids[i] ?? "", at: rec.at, died: now(), count: part.count, why: part.why };
    if (!store.addDead(rec.lane.key, { ...letter, body: part.body })) return;
    out.died.set(rec.lane, (out.died.get(rec.lane) ?? 0) + part.count);
  });
}

function delay(
  s: Settled,
  retry: NonNullable<Settlement["retry"]>,
  out: Written,
  facts: WriteFacts,
  leave: (body: number, shared: boolean) => void,
): void {
  const { rec } = s;
  const { store } = facts;
  const due = facts.dueIn(rec.lane, retry.inMs);
  let { bodySeq, shared } = rec;
  if (retry.body !== s.body) {
    if (shared) {
      leave(bodySeq, true);
      bodySeq = facts.nextBody();
      shared = false;
      store.addBody(bodySeq, rec.lane.key, { id: rec.id, at: rec.at, count: retry.count }, retry.body);
    } else store.setBody(bodySeq, retry.body, retry.count);
  }
  const next = { due, count: retry.count, attempt: rec.attempt + (s.asItWas ? 0 : 1), bodySeq, shared };
  store.setItem(rec.lane.key, { ...rec, ...next }, Math.ceil(retry.inMs), rec.count);
  out.delayed.set(rec, next);
}
