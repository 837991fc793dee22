import type { Labels } from "../../sdk/kubernetes.ts";

/** Pods of one workload bear the same labels: each set is kept once. */
export interface LabelSets {
  /** The set that is kept; give it back with `release`. */
  keep(labels: Labels): Labels;
  release(labels: Labels): void;
  size(): number;
}

export const createLabelSets = (): LabelSets => {
  const sets = new Map<string, { readonly labels: Labels; users: number }>();
  const keyOf = (labels: Labels): string => JSON.stringify(labels);
  return {
    keep: (labels) => {
      const key = keyOf(labels);
      const kept = sets.get(key);
      if (kept) {
        kept.users++;
        return kept.labels;
      }
      sets.set(key, { labels, users: 1 });
      return labels;
    },
    release: (labels) => {
      const key = keyOf(labels);
      const kept = sets.get(key);
      if (kept && --kept.users === 0) sets.delete(key);
    },
    size: () => sets.size,
  };
};
