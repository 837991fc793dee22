/** The bodies that are being read at one listener, the oldest first. */
export interface OpenBodies {
  /** `cut` ends the reading at once and gives back what it holds. The answer ends the entry. */
  add(cut: () => void): { done(): void };
  /** Cuts the one that has been read for the longest, if that is longer than a sound sender needs; false: there is none. */
  giveWay(): boolean;
}

/** Milliseconds within which a body is never cut in favour of another. */
const graceMs = 1000;

export const createOpenBodies = (now: () => number = () => performance.now()): OpenBodies => {
  const open = new Set<{ readonly since: number; readonly cut: () => void }>();
  return {
    add: (cut) => {
      const one = { since: now(), cut };
      open.add(one);
      return { done: () => void open.delete(one) };
    },
    giveWay: () => {
      for (const one of open) {
        if (now() - one.since < graceMs) return false;
        open.delete(one);
        one.cut();
        return true;
      }
      return false;
    },
  };
};
