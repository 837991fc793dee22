/**
 * A second count of what the queue owes, beside the queue's file: what a damaged file has lost can be told to the event.
 * Two files take turns: a snapshot of every lane's counts, then one record for each transaction since. A record is
 * written before its transaction commits and confirmed after it, in place, so that a full disk is no obstacle.
 * A snapshot is taken only when the log is folded into the queue's file: whatever state that file is in, the records
 * since tell which of its items are over.
 */

import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { fileSize } from "./wal.ts";

export interface LaneCount {
  readonly name: string;
  /** Events not settled, and dead ones. */
  live: number;
  dead: number;
}

/** What a ledger says. */
export interface Owed {
  readonly generation: number;
  /** The last owner did not close it. */
  readonly open: boolean;
  /** The machine has not been down since. */
  readonly sameBoot: boolean;
  /** By the lane's key, without the transaction in doubt. */
  readonly lanes: ReadonlyMap<number, LaneCount>;
  /** The largest number that was given to an item. */
  readonly seq: number;
  /** The item was settled, and no other followed from it. */
  over(lane: number, seq: number): boolean;
  /** The transaction that was under way when the owner died: it stands or it does not. */
  readonly doubt: readonly Op[];
}

/** One change: an item came, an item is over, an item was replaced by others, dead events came (or, negative, went). */
export interface Op {
  readonly what: "add" | "over" | "moved" | "dead";
  readonly lane: number;
  readonly seq: number;
  readonly count: number;
}

const magic = 0x4c595945;
const headerBytes = 64;
const opBytes = 16;
const recordBytes = 24;
const kinds = ["add", "over", "moved", "dead"] as const;
const nameKind = 4;
export const ledgerSuffixes = ["-count-a", "-count-b"] as const;

export type Ledger = ReturnType<typeof openLedger>;

/** Names this run of the machine; empty where it cannot be told. */
const bootId = ((): string => {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
})();

/** Starts to count from `lanes`; a file of `turnBytes` has had its turn. Throws when the disk refuses. */
export function openLedger(path: string, from: Pick<Owed, "generation" | "lanes" | "seq">, turnBytes: number) {
  const fds = ledgerSuffixes.map((suffix) => openFile(path + suffix, turnBytes));
  const lanes = new Map([...from.lanes].map(([key, lane]) => [key, { ...lane }]));
  let generation = from.generation;
  let [tx, at] = [0, 0];
  let { seq } = from;
  let ops: Op[] = [];
  let names: [number, string][] = [];
  let written = 0;
  const fd = () => fds[generation % 2] as number;

  const snapshot = () => {
    const text = Buffer.from(JSON.stringify({ boot: bootId, seq, lanes: [...lanes] }));
    const bytes = Buffer.alloc(headerBytes + text.length);
    bytes.writeUInt32LE(magic, 0);
    bytes.writeUInt32LE(1, 4);
    bytes.writeDoubleLE(generation + 1, 8);
    bytes.writeDoubleLE(tx, 16);
    bytes.writeUInt32LE(1, 24);
    bytes.writeUInt32LE(text.length, 28);
    bytes.writeDoubleLE(tx, 40);
    text.copy(bytes, headerBytes);
    bytes.writeUInt32LE(checkOf(bytes, text), 32);
    writeAll(fds[(generation + 1) % 2] as number, bytes, 0);
    generation++;
    at = bytes.length;
  };
  snapshot();

  return {
    generation: () => generation,
    op: (what: Op["what"], lane: number, seq: number, count: number) => {
      if (count !== 0) ops.push({ what, lane, seq, count });
    },
    name: (lane: number, name: string) => {
      if (!lanes.has(lane)) names.push([lane, name]);
    },
    forget: () => {
      [ops, names] = [[], []];
    },
    /** Before the transaction commits. Throws when the disk refuses. */
    prepare: () => {
      written = 0;
      if (ops.length === 0 && names.length === 0) return;
      const bytes = encode(generation, tx + 1, ops, names);
      writeAll(fd(), bytes, at);
      written = bytes.length;
    },
    /** Once it stands. */
    confirm: () => {
      if (written > 0) {
        at += written;
        tx++;
        try {
          const bytes = Buffer.alloc(8);
          bytes.writeDoubleLE(tx);
          writeAll(fd(), bytes, 16);
        } catch {
          // It is confirmed by the next one.
        }
      }
      for (const [key, name] of names) lanes.set(key, { name, live: 0, dead: 0 });
      for (const op of ops) {
        apply(lanes, op);
        if (op.what === "add") seq = Math.max(seq, op.seq);
      }
      [ops, names] = [[], []];
    },
    isLong: () => at > turnBytes,
    snapshot,
    close: (clean: boolean) => {
      try {
        if (clean) writeAll(fd(), Buffer.alloc(4), 24);
      } finally {
        for (const open of fds) closeSync(open);
      }
    },
  };
}

/** Room for a file's whole turn is taken at once: later there may be none. */
function openFile(path: string, turnBytes: number): number {
  const fresh = fileSize(path) < turnBytes;
  const fd = openSync(path, fresh ? "a+" : "r+", 0o600);
  if (!fresh) return fd;
  closeSync(fd);
  const sized = openSync(path, "r+");
  try {
    const size = fileSize(path);
    writeAll(sized, Buffer.alloc(turnBytes - size), size);
  } catch {
    // It grows when there is room.
  }
  return sized;
}

function writeAll(fd: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}

/** Of what does not change: the generation, the number of the first transaction, the snapshot. */
const checkOf = (file: Buffer, text: Buffer): number =>
  crc32(text, crc32(file.subarray(40, 48), crc32(file.subarray(0, 16))));

function encode(generation: number, tx: number, ops: readonly Op[], names: readonly [number, string][]): Buffer {
  const texts = names.map(([, name]) => Buffer.from(name));
  const textBytes = texts.reduce((sum, t) => sum + opBytes + Math.ceil(t.length / opBytes) * opBytes, 0);
  const bytes = Buffer.alloc(recordBytes + textBytes + ops.length * opBytes);
  let at = recordBytes;
  const put = (kind: number, lane: number, seq: number, count: number) => {
    bytes.writeUInt32LE(lane * 8 + kind, at);
    bytes.writeInt32LE(count, at + 4);
    bytes.writeDoubleLE(seq, at + 8);
    at += opBytes;
  };
  for (const [i, text] of texts.entries()) {
    put(nameKind, names[i]?.[0] ?? 0, 0, text.length);
    text.copy(bytes, at);
    at += Math.ceil(text.length / opBytes) * opBytes;
  }
  for (const op of ops) put(kinds.indexOf(op.what), op.lane, op.seq, op.count);
  bytes.writeUInt32LE(bytes.length - recordBytes, 0);
  bytes.writeDoubleLE(tx, 8);
  bytes.writeDoubleLE(generation, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

function apply(lanes: Map<number, LaneCount>, op: Op): void {
  const lane = lanes.get(op.lane);
  if (!lane) return;
  if (op.what === "dead") lane.dead += op.count;
  else lane.live += op.what === "add" ? op.count : -op.count;
}

/** Undefined: there is none, or it is damaged. */
export function readLedger(path: string): Owed | undefined {
  const found = ledgerSuffixes.flatMap((suffix) => readFile(path + suffix) ?? []);
  return found.sort((a, b) => b.generation - a.generation)[0];
}

function readFile(path: string): Owed | undefined {
  try {
    const file = readFileSync(path);
    if (file.length < headerBytes || file.readUInt32LE(0) !== magic || file.readUInt32LE(4) !== 1) return undefined;
    const length = file.readUInt32LE(28);
    const text = file.subarray(headerBytes, headerBytes + length);
    if (checkOf(file, text) !== file.readUInt32LE(32)) return undefined;
    return readRecords(file, JSON.parse(text.toString()), headerBytes + length);
  } catch {
    return undefined;
  }
}

interface Snapshot {
  readonly boot: string;
  readonly seq: number;
  readonly lanes: [number, LaneCount][];
}

function readRecords(file: Buffer, start: Snapshot, from: number): Owed | undefined {
  const lanes = new Map(start.lanes);
  const [generation, confirmed] = [file.readDoubleLE(8), file.readDoubleLE(16)];
  const over = new Map<number, Set<number>>();
  let [seq, tx] = [start.seq, file.readDoubleLE(40)];
  let doubt: Op[] = [];
  const stands = () => {
    for (const op of doubt) {
      apply(lanes, op);
      const set = over.get(op.lane) ?? new Set();
      over.set(op.lane, set);
      if (op.what === "over") set.add(op.seq);
      else if (op.what === "add") set.delete(op.seq);
    }
    doubt = [];
  };
  for (let at = from; at + recordBytes <= file.length; ) {
    const length = file.readUInt32LE(at);
    const record = file.subarray(at, at + recordBytes + length);
    // Behind the last record stands what was there a turn before.
    if (record.length < recordBytes + length || record.readDoubleLE(8) !== tx + 1) break;
    if (record.readDoubleLE(16) !== generation) break;
    if (crc32(record.subarray(8)) !== record.readUInt32LE(4)) break;
    // Another followed.
    stands();
    tx++;
    at += record.length;
    const { ops, names } = decode(record);
    for (const [key, name] of names) if (!lanes.has(key)) lanes.set(key, { name, live: 0, dead: 0 });
    for (const op of ops) if (op.what === "add") seq = Math.max(seq, op.seq);
    doubt = ops;
  }
  if (tx <= confirmed) stands();
  // A record that was confirmed cannot be read: the count would be wrong.
  if (tx < confirmed) return undefined;
  return {
    generation,
    open: file.readUInt32LE(24) === 1,
    sameBoot: start.boot === bootId,
    lanes,
    seq,
    over: (lane, n) => over.get(lane)?.has(n) ?? false,
    doubt,
  };
}

function decode(record: Buffer): { ops: Op[]; names: [number, string][] } {
  const ops: Op[] = [];
  const names: [number, string][] = [];
  for (let at = recordBytes; at < record.length; at += opBytes) {
    const head = record.readUInt32LE(at);
    const [lane, kind, count] = [head >>> 3, head & 7, record.readInt32LE(at + 4)];
    if (kind === nameKind) {
      names.push([lane, record.toString("utf8", at + opBytes, at + opBytes + count)]);
      at += Math.ceil(count / opBytes) * opBytes;
    } else ops.push({ what: kinds[kind] ?? "add", lane, seq: record.readDoubleLE(at + 8), count });
  }
  return { ops, names };
}
