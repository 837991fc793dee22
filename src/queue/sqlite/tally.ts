import type { Tally } from "../queue.ts";

/** What lanes got back or lost, as it is counted. */
export type Tallies = Map<string, { -readonly [Name in keyof Tally]: Tally[Name] }>;

/** The lane's, begun when there is none. */
export const tallyOf = (tallies: Tallies, lane: string) => {
  const tally = tallies.get(lane) ?? { events: 0, letters: 0 };
  tallies.set(lane, tally);
  return tally;
};
