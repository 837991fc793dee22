/** What is told of the lanes of the embedded queue, and what is done to their dead letters. */

import type { DeadLetter, LetterSteps, Queue } from "../queue.ts";
import type { Core } from "./core.ts";
import type { Flusher } from "./flush.ts";
import type { Lane } from "./lane.ts";
import type { LetterRow } from "./letter-table.ts";
import { moveLetters } from "./letters.ts";
import { reading, unreadable } from "./reading.ts";

/** Figures are memory's: whoever asks for them waits for no disk. */
export const openFigures = (core: Core, flusher: Flusher): Pick<Queue, "depth" | "lanes"> => ({
  async depth(name) {
    flusher.catchUp();
    const lane = core.lanes.get(name);
    if (!lane) return { waiting: 0, active: 0, delayed: 0, dead: 0 };
    const { total, active, delayed, dead } = lane;
    const oldestAt = total > 0 ? oldestOf(core, lane) : undefined;
    return {
      waiting: total - active - delayed,
      active,
      delayed,
      dead,
      ...(oldestAt === undefined ? {} : { oldestAt }),
    };
  },
  async lanes() {
    flusher.catchUp();
    return [...core.lanes.values()].filter((l) => l.total > 0 || l.dead > 0).map((l) => l.name);
  },
});

export function openLetters(core: Core, flusher: Flusher): Pick<Queue, "dead" | "redrive" | "discard"> {
  const move = async (name: string, ids: readonly string[] | undefined, back: boolean, steps?: LetterSteps) => {
    flusher.catchUp();
    return moveLetters(core, name, ids, back, steps).catch((error) => {
      throw unreadable(core, error);
    });
  };
  return {
    async dead(name, limit, after) {
      flusher.catchUp();
      const lane = core.lanes.get(name);
      if (!lane) return [];
      return reading(core, () => {
        const from = after === undefined ? 0 : core.store.letter(lane.key, after)?.seq;
        if (from === undefined) return [];
        return core.store.letters(lane.key, from, limit).map((l) => toLetter(name, l));
      });
    },
    redrive: (name, ids, steps) => move(name, ids, true, steps),
    discard: (name, ids, steps) => move(name, ids, false, steps),
  };
}

/** Looked up once for as long as that item is in the lane. */
function oldestOf(core: Core, lane: Lane): number | undefined {
  if (!lane.stored) return undefined;
  lane.oldest ??= reading(core, () => core.store.oldest(lane.key));
  return lane.oldest?.at;
}

const toLetter = (lane: string, l: LetterRow): DeadLetter => ({
  lane,
  id: l.id,
  at: l.at,
  diedAt: l.died,
  body: l.body,
  count: l.count,
  why: l.why,
});
