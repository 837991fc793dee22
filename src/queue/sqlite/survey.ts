/**
 * Which pages of a damaged queue file hold what. Trees are walked from their roots as far as they hang together; pages
 * that hang on a damaged one are told by the shape of their rows. Pages on the list of free ones hold what is over.
 */

import { type Kind, type Page, parsePage, type Row } from "./cells.ts";
import type { Pages } from "./pages.ts";
import { pageSize } from "./wal.ts";

/** A page of numbered rows: its smallest and largest number. */
export interface Leaf {
  readonly page: number;
  readonly from: number;
  readonly to: number;
}

export interface Survey {
  /** Names of lanes by their key. */
  readonly lanes: Map<number, string>;
  /** Oldest rows first. */
  readonly bodies: readonly Leaf[];
  readonly letters: readonly Leaf[];
  readonly items: readonly number[];
  /** Pages of the index of items by id. */
  readonly ids: readonly number[];
  /** Nothing of the table of items, or of its index by id, is damaged. */
  readonly itemsSound: boolean;
  readonly idsSound: boolean;
}

/** What the schema makes, in its order: the first root is page 2. */
const trees = [
  "meta",
  "lane",
  "sqlite_autoindex_lane_1",
  "item",
  "item_id",
  "item_due",
  "body",
  "share",
  "dead",
  "dead_id",
  "dead_order",
  "state",
  "state_expires",
] as const;
/** Those that a file of the first version has. */
const firstTrees = 11;
const kinds: Readonly<Record<string, Kind>> = {
  meta: "name",
  lane: "lane",
  sqlite_autoindex_lane_1: "name",
  item: "item",
  item_id: "ids",
  item_due: "due",
  body: "body",
  share: "share",
  dead: "dead",
  dead_id: "ids",
  dead_order: "order",
  state: "state",
  state_expires: "expires",
};

const [unknown, used, free] = [0, 1, 2];

/** Yields now and then, so that whoever runs it can do something else. */
export function* surveyPages(pages: Pages): Generator<void, Survey> {
  const state = new Uint8Array(pages.count + 1);
  const damaged = new Set<Kind>();
  const lanes = new Map<number, string>();
  const bodies: Leaf[] = [];
  const letters: Leaf[] = [];
  const items: number[] = [];
  const ids: number[] = [];
  const scratch = Buffer.alloc(pageSize);

  const leafOf = (page: number, rows: readonly Row[]): Leaf => {
    const numbers = rows.map((r) => r.rowid);
    return { page, from: Math.min(...numbers), to: Math.max(...numbers) };
  };
  /** Files a page under its table; `tree` tells apart what looks alike. */
  const file = (number: number, page: Page, kind: Kind, tree: string | undefined) => {
    const rows = page.rows.filter((r) => r.kind === kind);
    if (page.bad > 0 || rows.length < page.rows.length) damaged.add(kind);
    if (rows.length === 0) return;
    if (kind === "body") bodies.push(leafOf(number, rows));
    else if (kind === "dead") letters.push(leafOf(number, rows));
    else if (kind === "item") items.push(number);
    else if (kind === "ids" && tree === "item_id") ids.push(number);
    else if (kind === "lane") for (const r of rows) lanes.set(r.rowid, String(r.values[1]));
    else if (kind === "name" && tree === "sqlite_autoindex_lane_1")
      for (const r of rows) if (!lanes.has(Number(r.values[1]))) lanes.set(Number(r.values[1]), String(r.values[0]));
  };

  const roots = readRoots(pages);
  const freeKnown = roots.freeList !== undefined && markFree(pages, roots.freeList, state);
  for (const [root, tree] of roots.trees) {
    const kind = kinds[tree] as Kind;
    const left = [root];
    for (let n = left.pop(); n !== undefined; n = left.pop()) {
      const page = state[n] === unknown && n > 1 ? parsePage(pages, pages.read(n, scratch), n) : undefined;
      if (!page) {
        damaged.add(kind);
        continue;
      }
      const other = page.rows[0]?.kind ?? kind;
      // Without the first page roots are taken for where the schema put them: a page of another kind is found below.
      if (other !== kind) {
        damaged.add(kind);
        damaged.add(other);
        continue;
      }
      state[n] = used;
      // The oldest pages are on the left: they are read first.
      left.push(...page.children.toReversed());
      file(n, page, kind, tree);
      yield;
    }
  }
  if (!freeKnown) for (const _ of findFree(pages, state)) yield;
  if (damaged.size > 0)
    for (let n = 2; n <= pages.count; n++) {
      if (state[n] !== unknown) continue;
      const page = parsePage(pages, pages.read(n, scratch), n);
      const kind = page?.rows[0]?.kind;
      if (page && kind && damaged.has(kind)) file(n, page, kind, undefined);
      if (n % 16 === 0) yield;
    }
  for (let n = pages.count + 1; n <= pages.count + pages.doubtful; n++) {
    const page = parsePage(pages, pages.read(n, scratch), n);
    const kind = page?.rows[0]?.kind;
    if (page && kind) file(n, page, kind, undefined);
    if (kind === "item" || kind === "ids") damaged.add(kind);
    yield;
  }
  bodies.sort((a, b) => a.from - b.from || a.page - b.page);
  letters.sort((a, b) => a.from - b.from || a.page - b.page);
  return { lanes, bodies, letters, items, ids, itemsSound: !damaged.has("item"), idsSound: !damaged.has("ids") };
}

/** Where the trees begin and the list of free pages, from the first page; without it where the schema puts them. */
function readRoots(pages: Pages): { trees: (readonly [number, string])[]; freeList: number | undefined } {
  const first = pages.read(1);
  const rows = parsePage(pages, first, 1)?.rows.filter((r) => r.kind === "master") ?? [];
  const found = new Map(rows.map((r) => [String(r.values[1]), Number(r.values[3])]));
  const sound = first.toString("latin1", 0, 16) === "SQLite format 3\0";
  const named = trees.flatMap((tree) => (found.has(tree) ? [[found.get(tree) ?? 0, tree] as const] : []));
  const whole = trees.slice(0, firstTrees).every((tree) => found.has(tree));
  return {
    trees: whole ? named : trees.map((tree, i) => [i + 2, tree] as const),
    freeList: sound ? first.readUInt32BE(32) : undefined,
  };
}

/** Marks the free pages; false when their list is broken. */
function markFree(pages: Pages, first: number, state: Uint8Array): boolean {
  for (let trunk = first; trunk !== 0; ) {
    if (trunk > pages.count || state[trunk] !== unknown) return false;
    const leaves = trunkLeaves(pages.read(trunk), pages.count);
    if (!leaves) return false;
    state[trunk] = free;
    for (const n of leaves.free) state[n] = free;
    trunk = leaves.next;
  }
  return true;
}

/** What a page of the list of free pages says; undefined when it cannot be one. */
function trunkLeaves(bytes: Buffer, count: number): { next: number; free: number[] } | undefined {
  const [next, length] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
  if (next > count || length > bytes.length / 4 - 8) return undefined;
  const leaves = Array.from({ length }, (_, i) => bytes.readUInt32BE(8 + 4 * i));
  return leaves.every((n) => n > 1 && n <= count) ? { next, free: leaves } : undefined;
}

/** Where the list of free pages is broken its parts are told by their look. */
function* findFree(pages: Pages, state: Uint8Array): Generator<void> {
  for (let n = 2; n <= pages.count; n++) {
    if (n % 16 === 0) yield;
    if (state[n] !== unknown) continue;
    const leaves = trunkLeaves(pages.read(n), pages.count);
    if (!leaves || leaves.free.length === 0 || new Set(leaves.free).size < leaves.free.length) continue;
    if (leaves.free.some((p) => state[p] === used)) continue;
    state[n] = free;
    for (const p of leaves.free) state[p] = free;
  }
}
