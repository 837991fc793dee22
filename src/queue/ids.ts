/**
 * Ids of what an item leaves behind. They hold what they stand for: a repetition of the item after a crash writes the same
 * again under the same id, which is harmless, and whatever comes out differently under another, so that it is kept too.
 */

import { hash } from "node:crypto";
import type { Chunk, DeadPart, Item } from "./queue.ts";

const digest = (text: string): string => hash("sha256", text, "base64url").slice(0, 16);

/** One id for each dead part of one settlement. */
export function letterIds(item: Pick<Item, "id" | "attempt">, parts: readonly Pick<DeadPart, "body">[]): string[] {
  const given = new Map<string, number>();
  return parts.map(({ body }) => {
    const id = `${item.id}~${item.attempt}.${digest(body)}`;
    const twins = given.get(id) ?? 0;
    given.set(id, twins + 1);
    return twins === 0 ? id : `${id}.${twins}`;
  });
}

/** Children of an item of a lane: rules and routes may have changed between a crash and the repetition. */
export function childIds(chunks: readonly Chunk[]): Chunk[] {
  let last: { body: string; digest: string } | undefined;
  return chunks.map((chunk) => {
    // Most children share their text.
    if (last?.body !== chunk.body) last = { body: chunk.body, digest: digest(chunk.body) };
    return { ...chunk, id: `${chunk.id}.${last.digest}` };
  });
}
