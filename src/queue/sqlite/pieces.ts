/** What the pages of a damaged queue file hold, a body or a dead letter at a time. */

import { parsePage, type Row } from "./cells.ts";
import type { FoundItem, Step } from "./holders.ts";
import type { LetterRow } from "./letter-table.ts";
import type { Pages } from "./pages.ts";
import type { Leaf } from "./survey.ts";

export interface FoundBody {
  readonly body: string;
  readonly items: readonly FoundItem[];
}

export type FoundLetter = Omit<LetterRow, "seq"> & { readonly lane: string };

/** One row that is to be brought back. */
export interface Piece {
  /** Its number in its page: rows of a page come in the order of their numbers. */
  readonly row: number;
  /** What it takes in the living file, about. */
  readonly bytes: number;
  readonly body?: FoundBody;
  readonly letter?: FoundLetter;
}

/** Numbers beside the text. */
const rowBytes = 512;

/** The bodies of a step that somebody holds, of rows behind `after`. */
export function bodiesOf(pages: Pages, step: Step, after: number, holdersOf: (row: Row) => FoundItem[]): Piece[] {
  const found: Piece[] = [];
  for (const row of rowsOf(pages, step.page)) {
    if (row.kind !== "body" || row.rowid <= after || row.rowid < step.low || row.rowid >= step.high) continue;
    const text = row.text();
    // What cannot be read is missing from what is saved.
    if (text?.crc !== row.values[1]) continue;
    const items = holdersOf(row);
    if (items.length === 0) continue;
    const body = text?.bytes.toString() ?? "";
    found.push({ row: row.rowid, bytes: rowBytes + (text?.bytes.length ?? 0), body: { body, items } });
  }
  return found;
}

export function lettersOf(pages: Pages, leaf: Leaf, after: number, lanes: ReadonlyMap<number, string>): Piece[] {
  const found: Piece[] = [];
  for (const row of rowsOf(pages, leaf.page)) {
    const [, lane, id, at, died, count, why] = row.values as [null, number, string, number, number, number, string];
    const name = lanes.get(lane);
    if (row.kind !== "dead" || row.rowid <= after || name === undefined || !(count > 0)) continue;
    const text = row.text();
    if (!text) continue;
    const letter = { lane: name, id, at, died, count, why, body: text.bytes.toString() };
    found.push({ row: row.rowid, bytes: rowBytes + text.bytes.length, letter });
  }
  return found;
}

const rowsOf = (pages: Pages, page: number): Row[] =>
  (parsePage(pages, pages.read(page), page)?.rows ?? []).toSorted((a, b) => a.rowid - b.rowid);
