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

/** Labels as they are told, keys sorted; undefined: none. */
export const labelsOf = (value: unknown): Labels | undefined => {
  if (typeof value !== "object" || value === null) return undefined;
  const labels: Record<string, string> = Object.create(null);
  for (const [key, text] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    if (typeof text === "string") labels[key] = text;
  return Object.keys(labels).length > 0 ? labels : undefined;
};
