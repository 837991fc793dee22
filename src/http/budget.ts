/** Bytes of bodies that may be in memory together. */
export interface Budget {
  /** False: nothing was taken, there is no room. */
  take(bytes: number): boolean;
  give(bytes: number): void;
  used(): number;
}

export const createBudget = (max: number): Budget => {
  let used = 0;
  return {
    take: (bytes) => {
      if (used + bytes > max) return false;
      used += bytes;
      return true;
    },
    give: (bytes) => {
      used -= bytes;
    },
    used: () => used,
  };
};
