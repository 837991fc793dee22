/** Edits (insert, remove, replace, swap of neighbours) from a to b; gives up above `limit`. */
const distance = (a: string, b: string, limit: number): number => {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      next.push(cost);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? limit + 1;
};

/** The known name that a person most likely meant, or undefined when none is close (a third of the letters, `most` at most). */
export const nearest = (name: string, known: Iterable<string>, most = 3): string | undefined => {
  let best: string | undefined;
  let least = Math.min(most, Math.max(1, Math.floor(name.length / 3))) + 1;
  for (const candidate of known) {
    const d = distance(name, candidate, least - 1);
    if (d < least) {
      least = d;
      best = candidate;
    }
  }
  return best;
};
