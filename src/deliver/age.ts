/**
 * How old what was accepted is, in time that passed: a jump of the wall clock while the process runs makes nothing older.
 * Acceptance is told by the wall clock, so that its jumps are remembered as they are seen. What was accepted before the start
 * is as old as the wall clock says then, and older by what passed since: across restarts nothing else tells.
 */

/** Two readings of both clocks that differ by less passed alike. */
const toleranceMs = 500;
/** Jumps that are remembered. */
const mostJumps = 100;

export interface Ages {
  /** Milliseconds since `at`, milliseconds since the epoch by the wall clock of then. */
  of(at: number): number;
  /** Looks for a jump: it is dated more exactly the more often this is called. */
  look(): void;
}

/** `now`: the wall clock, milliseconds since the epoch; `ticks`: milliseconds that only go forward. */
export const createAges = (now: () => number, ticks: () => number): Ages => {
  /** Where the wall clock stood at some ticks; it went evenly from then on, and maybe before, since the look before. */
  const stretches = [{ wall: now(), found: ticks(), since: ticks() }];
  let looked = ticks();

  const look = (): void => {
    const [wall, found, since] = [now(), ticks(), looked];
    looked = found;
    const last = stretches.at(-1);
    if (last && Math.abs(wall - last.wall - (found - last.found)) < toleranceMs) return;
    stretches.push({ wall, found, since });
    // The first stays: it tells what was accepted before the start.
    if (stretches.length > mostJumps) stretches.splice(1, 1);
  };

  /** In ticks; of several moments at which the wall clock showed that, the last. */
  const momentOf = (at: number, end: number): number => {
    let until = end;
    let next = Number.NEGATIVE_INFINITY;
    for (const { wall, found, since } of stretches.toReversed()) {
      const moment = found + at - wall;
      if (moment >= since && moment <= until + toleranceMs) return Math.min(moment, until);
      // The clock jumped over it.
      if (moment > until && at < next) return until;
      until = found;
      next = wall;
    }
    const [first] = stretches;
    return first && at < first.wall ? first.found + at - first.wall : end;
  };

  return {
    look,
    of: (at) => {
      look();
      const end = ticks();
      return Math.max(0, end - momentOf(at, end));
    },
  };
};
