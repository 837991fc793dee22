/**
 * Rows out of SQLite's pages without SQLite (https://sqlite.org/fileformat2.html), in the shapes of the queue's own
 * tables. Whatever does not have its table's shape is no row.
 */

import { crc32 } from "node:zlib";
import type { Pages } from "./pages.ts";
import { pageSize } from "./wal.ts";

type Value = number | string | null;

/** Tables and indexes by the types of their columns: `0` null (the row's number), `i` integer, `t` text. */
const shapes = {
  body: "0iitiit",
  dead: "0itiiitt",
  lane: "0t",
  share: "0i",
  item: "iitiiiiiiiii",
  /** item_id and dead_id, which only their roots tell apart. */
  ids: "iti",
  /** item_due. */
  due: "iii",
  /** lane's index by name, and meta. */
  name: "ti",
  /** dead_order. */
  order: "ii",
  state: "itiiit",
  /** state_expires. */
  expires: "iit",
  /** sqlite_master. */
  master: "tttit",
} as const;
export type Kind = keyof typeof shapes;
const kindOf = new Map<string, Kind>(Object.entries(shapes).map(([kind, shape]) => [shape, kind as Kind]));

/** Those whose last column may be long, and those with numbered rows. */
const longKinds: ReadonlySet<Kind> = new Set(["body", "dead", "state", "master"]);
const numbered: ReadonlySet<Kind> = new Set(["body", "dead", "lane", "share", "master"]);

export interface Row {
  readonly kind: Kind;
  /** A table's row number, 0 in an index. */
  readonly rowid: number;
  /** The last column of a body, a dead letter or state is left out: `text` reads it. */
  readonly values: readonly Value[];
  /** The long text behind the values. Undefined: it is damaged. */
  text(): { readonly bytes: Buffer; readonly crc: number } | undefined;
}

const tableLeaf = 13;
const tableInterior = 5;
const indexLeaf = 10;
const indexInterior = 2;

export interface Page {
  readonly leaf: boolean;
  /** Pages below an interior page, as it names them. */
  readonly children: readonly number[];
  readonly rows: readonly Row[];
  /** Cells that hold no row of ours. */
  readonly bad: number;
}

/** Undefined: no page of a table or index. */
export function parsePage(pages: Pages, bytes: Buffer, number: number): Page | undefined {
  const start = number === 1 ? 100 : 0;
  const type = bytes[start] ?? 0;
  if (![tableLeaf, tableInterior, indexLeaf, indexInterior].includes(type)) return undefined;
  const leaf = type === tableLeaf || type === indexLeaf;
  const cells = bytes.readUInt16BE(start + 3);
  const pointers = start + (leaf ? 8 : 12);
  if (cells > (pageSize - pointers) / 2 || (cells === 0 && !leaf)) return undefined;
  const children: number[] = [];
  const rows: Row[] = [];
  let bad = 0;
  for (let i = 0; i < cells; i++) {
    const at = bytes.readUInt16BE(pointers + 2 * i);
    if (at < pointers + 2 * cells || at > pageSize - 4) {
      bad++;
      continue;
    }
    if (!leaf) children.push(bytes.readUInt32BE(at));
    if (type === tableInterior) continue;
    const row = parseCell(pages, bytes, leaf ? at : at + 4, type === tableLeaf);
    if (row) rows.push(row);
    else bad++;
  }
  if (!leaf) children.push(bytes.readUInt32BE(start + 8));
  return { leaf, children, rows, bad };
}

/** A big-endian base-128 number; `next` is -1 when it runs out of the page. */
function varint(bytes: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    if (i === 8) return { value: value * 256 + byte, next: at + 9 };
    value = value * 128 + (byte & 127);
    if (byte < 128) return { value, next: at + i + 1 };
  }
  return { value: 0, next: -1 };
}

function parseCell(pages: Pages, page: Buffer, at: number, table: boolean): Row | undefined {
  const size = varint(page, at);
  const rowid = table ? varint(page, size.next) : { value: 0, next: size.next };
  if (size.next < 0 || rowid.next < 0 || size.value < 3 || !Number.isSafeInteger(rowid.value)) return undefined;
  const local = localBytes(size.value, table);
  const from = rowid.next;
  if (from + local + (local < size.value ? 4 : 0) > pageSize) return undefined;
  const head = varint(page, from);
  if (head.next < 0 || head.value > Math.min(local, 64)) return undefined;
  const types: number[] = [];
  for (let next = head.next; next < from + head.value; ) {
    const type = varint(page, next);
    if (type.next < 0) return undefined;
    types.push(type.value);
    next = type.next;
  }
  const kind = kindOf.get(types.map(letterOf).join(""));
  const sizes = types.map(sizeOf);
  if (!kind || head.value + sizes.reduce((a, b) => a + b, 0) !== size.value) return undefined;
  const long = longKinds.has(kind);
  if (table !== numbered.has(kind)) return undefined;
  const values: Value[] = [];
  let offset = head.value;
  for (const [i, bytes] of (long ? sizes.slice(0, -1) : sizes).entries()) {
    if (offset + bytes > local) return undefined;
    values.push(readValue(page, from + offset, types[i] ?? 0, bytes));
    offset += bytes;
  }
  const text = () => {
    const bytes = payload(pages, page, from, local, size.value);
    if (!bytes) return undefined;
    const data = bytes.subarray(offset);
    return { bytes: data, crc: crc32(data) };
  };
  return { kind, rowid: rowid.value, values, text };
}

/** How much of a record its own page holds. */
function localBytes(size: number, table: boolean): number {
  const most = table ? pageSize - 35 : Math.floor(((pageSize - 12) * 64) / 255) - 23;
  if (size <= most) return size;
  const least = Math.floor(((pageSize - 12) * 32) / 255) - 23;
  const fitting = least + ((size - least) % (pageSize - 4));
  return fitting <= most ? fitting : least;
}

function payload(pages: Pages, page: Buffer, from: number, local: number, size: number): Buffer | undefined {
  if (local === size) return page.subarray(from, from + size);
  // A damaged size must not ask for memory that no file can fill.
  if (size > pages.count * pageSize) return undefined;
  const parts = [page.subarray(from, from + local)];
  let next = page.readUInt32BE(from + local);
  for (let left = size - local; left > 0; left -= pageSize - 4) {
    if (next < 2 || next > pages.count) return undefined;
    const bytes = pages.read(next);
    parts.push(bytes.subarray(4, 4 + Math.min(left, pageSize - 4)));
    next = bytes.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

const letterOf = (type: number): string =>
  type === 0 ? "0" : (type >= 1 && type <= 6) || type === 8 || type === 9 ? "i" : type >= 13 && type % 2 ? "t" : "?";

const integerBytes = [0, 1, 2, 3, 4, 6, 8];
const sizeOf = (type: number): number => (type >= 13 ? (type - 13) / 2 : (integerBytes[type] ?? 0));

function readValue(page: Buffer, at: number, type: number, bytes: number): Value {
  if (type === 0) return null;
  if (type >= 13) return page.toString("utf8", at, at + bytes);
  if (type === 8 || type === 9) return type - 8;
  return type === 6 ? Number(page.readBigInt64BE(at)) : page.readIntBE(at, bytes);
}
