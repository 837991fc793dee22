/**
 * Makes names differ that came out equal, each call for one more name: `a`, `a_2`, `a_3`. `taken` are not given out. The work of
 * all calls together grows with their number.
 */
export const distinct = (taken: Iterable<string> = []): ((name: string) => string) => {
  const used = new Set(taken);
  const counts = new Map<string, number>();
  return (name) => {
    let unique = name;
    for (let n = counts.get(name) ?? 2; used.has(unique); n += 1) {
      unique = `${name}_${n}`;
      counts.set(name, n + 1);
    }
    used.add(unique);
    return unique;
  };
};

/**
 * Fields under the names that a destination takes. A field whose name needs no change keeps it, whatever others become;
 * `taken` are names of the destination's own. In the order of the fields.
 */
export const renamed = <T>(
  fields: readonly (readonly [name: string, value: T])[],
  rename: (name: string) => string,
  taken: Iterable<string> = [],
): (readonly [name: string, value: T])[] => {
  const own = new Set(taken);
  const kept = new Set(fields.map(([name]) => name).filter((name) => rename(name) === name && !own.has(name)));
  const unique = distinct([...own, ...kept]);
  return fields.map(([name, value]) => [kept.has(name) ? name : unique(rename(name)), value]);
};
