/** Lists and maps as one text: what the environment holds. */

/** Splits at commas, those within `{{ }}` left alone: a template may hold them. */
export const splitItems = (text: string): string[] => {
  const items: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const two = text.slice(i, i + 2);
    if (two === "{{") depth += 1;
    else if (two === "}}") depth = Math.max(0, depth - 1);
    else if (text[i] === "," && depth === 0) {
      items.push(text.slice(start, i));
      start = i + 1;
    }
  }
  items.push(text.slice(start));
  return items;
};

/** Comma separated; blanks around items and empty items are left out. */
export const listOf = (text: string): string[] => splitItems(text).flatMap((item) => item.trim() || []);

export interface Pairs {
  readonly map: Readonly<Record<string, string>>;
  /** Items that are no pair: left out. */
  readonly rejected: readonly string[];
}

/**
 * `k:v,k:v`, each item split at its first colon, blanks around both removed; or a JSON object of scalars. With `bare`,
 * an item without a colon is a key with an empty text.
 */
export const pairsOf = (text: string, bare = false): Pairs => jsonPairs(text) ?? textPairs(text, bare);

const textPairs = (text: string, bare: boolean): Pairs => {
  const map: [string, string][] = [];
  const rejected: string[] = [];
  for (const item of splitItems(text)) {
    const colon = item.indexOf(":");
    const key = (colon < 0 ? item : item.slice(0, colon)).trim();
    if (key === "" && item.trim() === "") continue;
    if (key === "" || (colon < 0 && !bare)) rejected.push(item.trim());
    else map.push([key, colon < 0 ? "" : item.slice(colon + 1).trim()]);
  }
  return { map: Object.fromEntries(map), rejected };
};

const jsonPairs = (text: string): Pairs | undefined => {
  if (!/^\s*\{(?!\{)/.test(text)) return undefined;
  try {
    const entries = Object.entries<unknown>(JSON.parse(text));
    const isScalar = (value: unknown): boolean => ["string", "number", "boolean"].includes(typeof value);
    return {
      map: Object.fromEntries(entries.filter(([, v]) => isScalar(v)).map(([k, v]) => [k, String(v)])),
      rejected: entries.filter(([, v]) => !isScalar(v)).map(([k]) => k),
    };
  } catch {
    return undefined;
  }
};
