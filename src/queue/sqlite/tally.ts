/** What a lane got back or lost: events that were waiting, events that were dead letters. */
export interface Tally {
  events: number;
  letters: number;
}

/** The lane's, begun when there is none. */
export const tallyOf = (tallies: Map<string, Tally>, lane: string): Tally => {
  const tally = tallies.get(lane) ?? { events: 0, letters: 0 };
  tallies.set(lane, tally);
  return tally;
};
