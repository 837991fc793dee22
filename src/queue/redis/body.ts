/**
 * How a body travels in a job. Chunks of alerts repeat themselves: packed they are a tenth, and everything that Redis,
 * the wire and BullMQ do with them costs a tenth. Small bodies stay readable.
 */

import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Chunk } from "../queue.ts";

/** `b`: as it is; `z`: zstd in base64, and `l` the characters that it becomes. */
export type Packed = { readonly b: string } | { readonly z: string; readonly l?: number };

/** Characters of the body; guessed for what an older version packed. */
export const lengthOf = (packed: Packed): number =>
  "b" in packed ? packed.b.length : (packed.l ?? 6 * packed.z.length);

const packFrom = 1024;
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** A packer that remembers its last bodies: the children of one parent mostly share its text. */
export function createPacker(): (body: string) => Packed {
  const memo: { body: string; packed: Packed }[] = [];
  let next = 0;
  return (body) => {
    if (body.length < packFrom) return { b: body };
    const known = memo.find((m) => m.body === body);
    if (known) return known.packed;
    const packed = { z: zstdCompressSync(body, options).toString("base64"), l: body.length };
    memo[next++ % 4] = { body, packed };
    return packed;
  };
}

/** Throws when the packed text is damaged. */
export function unpack(packed: Packed): string {
  return "b" in packed ? packed.b : zstdDecompressSync(Buffer.from(packed.z, "base64")).toString();
}

/** The text as it is stored: equal for equal bodies. */
export const stored = (packed: Packed): string => ("b" in packed ? packed.b : packed.z);

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
