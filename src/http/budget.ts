import type { OpenBodies } from "./open-bodies.ts";

/** Bytes of bodies that may be in memory together. */
export interface Budget {
  /** False: nothing was taken, there is no room. The slowest bodies give way first. */
  take(bytes: number): boolean;
  give(bytes: number): void;
  used(): number;
  readonly max: number;
}

export const createBudget = (max: number, bodies?: OpenBodies): Budget => {
  let used = 0;
  return {
    max,
    take: (bytes) => {
      if (bytes > max) return false;
      while (used + bytes > max) if (!bodies?.giveWay()) return false;
      used += bytes;
      return true;
    },
    give: (bytes) => {
      used -= bytes;
    },
    used: () => used,
  };
};
