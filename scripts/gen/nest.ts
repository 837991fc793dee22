/** A tree of dotted keys: `a.b` stands within `a`. */
export interface Nested<T> {
  readonly leaf?: T;
  readonly children: Map<string, Nested<T>>;
}

export const nest = <T>(entries: Iterable<readonly [string, T]>): Nested<T> => {
  const root: Nested<T> = { children: new Map() };
  for (const [path, leaf] of entries) {
    const keys = path.split(".");
    let node = root;
    keys.forEach((key, i) => {
      const old = node.children.get(key);
      const next: Nested<T> = {
        ...(old?.leaf !== undefined && { leaf: old.leaf }),
        ...(i === keys.length - 1 && { leaf }),
        children: old?.children ?? new Map(),
      };
      node.children.set(key, next);
      node = next;
    });
  }
  return root;
};
