import type { Labels } from "../../sdk/kubernetes.ts";

/** Labels as they are told, keys sorted; undefined: none. */
export const labelsOf = (value: unknown): Labels | undefined => {
  if (typeof value !== "object" || value === null) return undefined;
  const labels: Record<string, string> = Object.create(null);
  for (const [key, text] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    if (typeof text === "string") labels[key] = text;
  return Object.keys(labels).length > 0 ? labels : undefined;
};
