/**
 * How a body travels in a job. Chunks of alerts repeat themselves: packed they are a tenth, and everything that Redis,
 * the wire and BullMQ do with them costs a tenth. Small bodies stay readable; large ones, and those that many lanes hold,
 * stand apart from their jobs (bodies.ts).
 */

import { createHash } from "node:crypto";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Chunk } from "../queue.ts";

/** `b`: as it is; `z`: zstd in base64, and `l` the characters that it becomes; `r`: the name of one that stands apart. */
export type Packed =
  | { readonly b: string }
  | { readonly z: string; readonly l?: number }
  | { readonly r: string; readonly l: number };

/** `apart`: what `r` names, zstd. */
export interface PackedBody {
  readonly packed: Packed;
  readonly apart?: Buffer;
}

/** Characters of the body; guessed for what an older version packed. */
export const lengthOf = (packed: Packed): number =>
  "b" in packed ? packed.b.length : (packed.l ?? ("z" in packed ? 6 * packed.z.length : 0));

const packFrom = 1024;
/** A body stands apart from its job when it is packed as large as this, or when so many lanes would hold as much as that. */
const apartFrom = { bytes: 16 * 1024, lanes: 4, laneBytes: 1024 };
/** Larger ones are not remembered. */
const memoLength = 256 * 1024;
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

export type Pack = ReturnType<typeof createPacker>;

/** A packer that remembers its last bodies: the children of one parent mostly share its text. `lanes` will hold the body. */
export function createPacker(): (body: string, lanes?: number) => PackedBody {
  interface Known {
    readonly body: string;
    readonly bytes: Buffer;
    inJob?: Packed;
    name?: string;
  }
  const memo: Known[] = [];
  let next = 0;
  return (body, lanes = 1) => {
    if (body.length < packFrom) return { packed: { b: body } };
    const known: Known = memo.find((m) => m.body === body) ?? { body, bytes: zstdCompressSync(body, options) };
    if (body.length <= memoLength && !memo.includes(known)) memo[next++ % 4] = known;
    const { bytes } = known;
    if (bytes.length < apartFrom.bytes && (lanes < apartFrom.lanes || bytes.length < apartFrom.laneBytes)) {
      known.inJob ??= { z: bytes.toString("base64"), l: body.length };
      return { packed: known.inJob };
    }
    known.name ??= createHash("sha256").update(bytes).digest("base64url");
    return { packed: { r: known.name, l: body.length }, apart: bytes };
  };
}

/** `apart` is what stands apart, if it was found. Throws when the packed text is damaged or gone. */
export function unpack(packed: Packed, apart: Buffer | undefined): string {
  if ("b" in packed) return packed.b;
  return zstdDecompressSync("z" in packed ? Buffer.from(packed.z, "base64") : (apart ?? Buffer.alloc(0))).toString();
}

/** The text as it is stored: equal for equal bodies. */
export const stored = (packed: Packed): string => ("b" in packed ? packed.b : "z" in packed ? packed.z : packed.r);

export type BodyCache = ReturnType<typeof createBodyCache>;

/** Bodies and their decoded form by lane, id and attempt, oldest out first; `cacheBytes` of memory for them. */
export function createBodyCache(cacheBytes: number) {
  const held = new Map<string, { packed: string; body: string; decoded: Chunk["decoded"]; bytes: number }>();
  let used = 0;
  const key = (lane: string, id: string, attempt: number) => `${lane}\n${id}\n${attempt}`;
  const remove = (name: string) => {
    const entry = held.get(name);
    if (entry) used -= entry.bytes;
    held.delete(name);
    return entry;
  };
  return {
    /** Undefined when nothing is held, or something else than what Redis holds under the id. */
    take: (lane: string, id: string, attempt: number, packed: Packed) => {
      const entry = remove(key(lane, id, attempt));
      return entry?.packed === stored(packed) ? entry : undefined;
    },
    keep: (lane: string, id: string, attempt: number, packed: Packed, body: string, decoded: Chunk["decoded"]) => {
      const name = key(lane, id, attempt);
      remove(name);
      const bytes = 256 + body.length * (decoded === undefined ? 1 : 4);
      if (bytes > cacheBytes / 4) return;
      held.set(name, { packed: stored(packed), body, decoded, bytes });
      used += bytes;
      for (const oldest of held.keys()) {
        if (used <= cacheBytes) break;
        remove(oldest);
      }
    },
  };
}
