import type { DeadLetter, LetterSteps } from "../queue.ts";
import type { BullLane } from "./lane.ts";

/** Letters looked at in one step. */
const stepLetters = 100;

/**
 * Letters by id, or all that are there now, away from the lane step by step, each once `first` was done with it. Every call of
 * Redis goes through `guard`. Resolves with how many have gone.
 */
export async function moveLetters(
  lane: Pick<BullLane, "lastLetter" | "read" | "lettersUntil" | "remove">,
  guard: <T>(work: () => Promise<T>) => Promise<T>,
  ids: readonly string[] | undefined,
  first: (letters: readonly DeadLetter[]) => Promise<unknown>,
  { moved: tell, signal }: LetterSteps = {},
): Promise<number> {
  const last = await guard(() => lane.lastLetter());
  let moved = 0;
  for (let at = 0; !signal?.aborted; at += stepLetters) {
    // The first page is always the next one: its letters are gone from the list afterwards.
    const step = async () => {
      const letters = ids ? await lane.read(ids.slice(at, at + stepLetters)) : await lane.lettersUntil(last);
      await first(letters);
      moved += await lane.remove(letters.map((l) => l.id));
      return letters.length;
    };
    const found = await guard(step);
    if (ids ? at + stepLetters >= ids.length : found === 0) break;
    tell?.(moved);
  }
  return moved;
}
