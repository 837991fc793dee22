/**
 * Who holds the bodies of a damaged queue file: its items, found by their pages and kept as references, so that memory
 * holds a few bytes of each.
 */

import { parsePage, type Row } from "./cells.ts";
import type { Owed } from "./ledger.ts";
import type { Pages } from "./pages.ts";
import type { Leaf, Survey } from "./survey.ts";
import { pageSize } from "./wal.ts";

export interface FoundItem {
  /** The lane's key in the damaged file. */
  readonly lane: number;
  readonly seq: number;
  readonly id: string;
  readonly at: number;
  readonly count: number;
  readonly attempt: number;
  readonly crashes: number;
  /** Milliseconds since the epoch, 0: ready. And how long it was told to wait. */
  readonly due: number;
  readonly wait: number;
  readonly body: number;
  /** Others hold the body, too. */
  readonly shared: boolean;
}

/** A page of bodies and the numbers that are taken from it in one go. */
export interface Step extends Leaf {
  /** Items are looked up for these numbers at a time. */
  readonly low: number;
  readonly high: number;
}

/** Items that are referred to at a time. */
const windowItems = 200_000;
/** Rows a page can have at most, rounded up to a power of two. */
const rowsPerPage = 1024;
/** Lost rows that the index by id still names; more are not looked for. */
const mostMissing = 200_000;

/** Undefined: not the row of an item. */
export function itemOf(row: Row, lanes: ReadonlyMap<number, string>): FoundItem | undefined {
  if (row.kind !== "item") return undefined;
  const [lane, seq, id, at, count, attempt, due, wait, , crashes, body, shared] = row.values as number[];
  const numbers = [seq, at, count, attempt, due, wait, crashes, body];
  if (!lanes.has(lane ?? -1) || !numbers.every((n) => Number.isSafeInteger(n) && (n as number) >= 0)) return undefined;
  if (seq === 0 || count === 0) return undefined;
  return { lane, seq, id: String(id), at, count, attempt, due, wait, crashes, body, shared: shared === 1 } as FoundItem;
}

/** Numbers of one lane, a bit each. */
export function createSeqSet() {
  const blocks = new Map<string, Uint8Array>();
  return {
    /** False: it was there. */
    add: (lane: number, seq: number): boolean => {
      const key = `${lane} ${Math.floor(seq / 65536)}`;
      let block = blocks.get(key);
      if (!block) {
        block = new Uint8Array(8192);
        blocks.set(key, block);
      }
      const [at, bit] = [(seq % 65536) >> 3, 1 << (seq % 8)];
      if ((block[at] ?? 0) & bit) return false;
      block[at] = (block[at] ?? 0) | bit;
      return true;
    },
    has: (lane: number, seq: number): boolean =>
      ((blocks.get(`${lane} ${Math.floor(seq / 65536)}`)?.[(seq % 65536) >> 3] ?? 0) & (1 << (seq % 8))) !== 0,
  };
}

export class Holders {
  readonly #pages: Pages;
  readonly #survey: Survey;
  readonly #owed: Owed | undefined;
  readonly #seen = createSeqSet();
  /** Events of all items that were found, by lane: what is owed when no count tells. */
  readonly events = new Map<number, number>();
  #items = 0;
  #window: { low: number; high: number; refs: Map<number, number | number[]> } | undefined;
  /** Items whose rows are lost but whose names are not. */
  readonly #missing = new Map<string, { lane: number; seq: number }[]>();
  #lost = 0;
  readonly #scratch = Buffer.alloc(pageSize);
  /** Bodies follow each other as their items do: the same page is asked for many times. */
  readonly #recent = new Map<number, readonly Row[]>();

  /** `owed`: what the count beside the file says, where there is one. */
  constructor(pages: Pages, survey: Survey, owed: Owed | undefined) {
    this.#pages = pages;
    this.#survey = survey;
    this.#owed = owed;
  }

  /** Finds out how many there are, to be done first. */
  *count(): Generator<void> {
    for (const n of this.#survey.items) {
      for (const row of this.#rowsOf(n)) this.#countItem(row);
      yield;
    }
    if (this.#survey.itemsSound) return;
    for (const n of this.#survey.ids) {
      for (const row of this.#rowsOf(n)) {
        this.#countName(row);
        if (this.#lost > mostMissing) return;
      }
      yield;
    }
  }

  /** The pages of bodies in the order they are to be read, the same at every start. */
  steps(): Step[] {
    const { bodies } = this.#survey;
    const share = Math.max(1, Math.ceil(this.#items / windowItems));
    const perWindow = Math.ceil(bodies.length / share);
    const steps: Step[] = [];
    for (let at = 0; at < bodies.length; at += perWindow) {
      const low = at === 0 ? 0 : (bodies[at]?.from ?? 0);
      const high = bodies[at + perWindow]?.from ?? Number.POSITIVE_INFINITY;
      // A page whose numbers reach into the next window has a turn in both.
      for (const leaf of bodies) if (leaf.from < high && leaf.to >= low) steps.push({ ...leaf, low, high });
    }
    return steps;
  }

  /** Looks the step's items up; quick when the step before was of the same window. */
  *open({ low, high }: Step): Generator<void> {
    if (this.#window?.low === low && this.#window.high === high) return;
    const refs = new Map<number, number | number[]>();
    this.#window = { low, high, refs };
    for (const n of this.#survey.items) {
      for (const [i, row] of this.#rowsOf(n).entries()) {
        const item = itemOf(row, this.#survey.lanes);
        if (!item || item.body < low || item.body >= high || this.#owed?.over(item.lane, item.seq)) continue;
        const ref = n * rowsPerPage + i;
        const others = refs.get(item.body);
        refs.set(item.body, others === undefined ? ref : [others, ref].flat());
      }
      yield;
    }
  }

  /** The items of a body in the opened window. */
  of(row: Row): FoundItem[] {
    const { lanes, itemsSound, idsSound } = this.#survey;
    const found = this.#referred(row.rowid);
    const [, , lane, id, at, count] = row.values as [null, number, number, string, number, number];
    const zero = { attempt: 0, crashes: 0, due: 0, wait: 0, shared: false };
    const facts = { ...zero, id, at, count: Math.max(1, count), body: row.rowid };
    const names = this.#missing.get(id) ?? [];
    // Lanes that were given other parts of a chunk have bodies of their own under the same id.
    const common = found.length === 0 ? !names.some((n) => n.lane === lane) : found.some((item) => item.shared);
    for (const name of names) if (common || name.lane === lane) found.push({ ...facts, ...name });
    // Where neither tells who held it, it goes back to the lane that it was first in.
    if (found.length === 0 && !itemsSound && !(idsSound && this.#lost <= mostMissing) && lanes.has(lane))
      found.push({ ...facts, lane, seq: 0 });
    return found;
  }

  #countItem(row: Row): void {
    const item = itemOf(row, this.#survey.lanes);
    if (!item || this.#owed?.over(item.lane, item.seq) || !this.#seen.add(item.lane, item.seq)) return;
    this.#items++;
    this.events.set(item.lane, (this.events.get(item.lane) ?? 0) + item.count);
  }

  #countName({ kind, values }: Row): void {
    const [lane, id, seq] = values as [number, string, number];
    if (kind !== "ids" || !this.#survey.lanes.has(lane) || this.#seen.has(lane, seq) || this.#owed?.over(lane, seq))
      return;
    if (++this.#lost > mostMissing) return;
    this.#missing.set(id, [...(this.#missing.get(id) ?? []), { lane, seq }]);
  }

  #referred(body: number): FoundItem[] {
    const refs = this.#window?.refs.get(body) ?? [];
    return [refs].flat().flatMap((ref) => {
      const item = this.#cachedRows(Math.floor(ref / rowsPerPage))[ref % rowsPerPage];
      return (item && itemOf(item, this.#survey.lanes)) ?? [];
    });
  }

  /** Of a page of items or names: nothing of it is read later. */
  #rowsOf(n: number): readonly Row[] {
    return parsePage(this.#pages, this.#pages.read(n, this.#scratch), n)?.rows ?? [];
  }

  #cachedRows(n: number): readonly Row[] {
    let rows = this.#recent.get(n);
    if (rows) return rows;
    rows = this.#rowsOf(n);
    this.#recent.set(n, rows);
    if (this.#recent.size > 32) this.#recent.delete(this.#recent.keys().next().value as number);
    return rows;
  }
}
