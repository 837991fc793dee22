/** Remembered items; the oldest is forgotten first, and its postponements then count as attempts. */
const most = 10_000;

export interface Postponements {
  /** How often an item went back to the lane without an attempt. */
  of(id: string): number;
  settled(id: string, again: boolean, attempted: boolean): void;
}

/** The queue counts every return to the lane as an attempt; those that waited for a limit or the breaker are not. */
export const postponements = (): Postponements => {
  const counts = new Map<string, number>();
  return {
    of: (id) => counts.get(id) ?? 0,
    settled: (id, again, attempted) => {
      if (!again) counts.delete(id);
      else if (!attempted) {
        counts.set(id, (counts.get(id) ?? 0) + 1);
        const oldest = counts.keys().next();
        if (counts.size > most && !oldest.done) counts.delete(oldest.value);
      }
    },
  };
};
