import { falcosidekickBlocks, isOutputBlock } from "./falcosidekick-keys.ts";
import { mustFit } from "./globals.ts";
import type { Problems } from "./problem.ts";
import type { Entry, MapTree, Tree } from "./tree.ts";

/** The keys that may stand in a map, as dotted paths in lower case. */
export interface KeySpace {
  readonly leaves: ReadonlySet<string>;
  /** Paths whose value may be a list of maps too. */
  readonly roots: ReadonlySet<string>;
  /** Path → the leaf that a plain value there stands for. */
  readonly shorthand: ReadonlyMap<string, string>;
  /** Leaves that keep a door shut: one that stands without a value is found, too. */
  readonly guards: ReadonlySet<string>;
}

export interface Flat {
  /** Leaf or root path → what stands there; a root's map is the first of its spellings, its keys stand beside it. */
  readonly found: ReadonlyMap<string, Tree>;
  readonly unknown: readonly { readonly path: string; readonly entry: Entry }[];
}

const parents = (paths: Iterable<string>): Set<string> => {
  const inner = new Set<string>();
  for (const path of paths)
    for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) inner.add(path.slice(0, dot));
  return inner;
};

const isSame = (a: Tree, b: Tree): boolean => a.kind === "leaf" && b.kind === "leaf" && a.value === b.value;

/** Finds every known key, whatever its case and whether it is nested or written with dots. */
export const flatten = (map: MapTree, space: KeySpace, label: string, problems: Problems): Flat => {
  const found = new Map<string, Tree>();
  const unknown: { path: string; entry: Entry }[] = [];
  const inner = parents([...space.leaves, ...space.roots]);

  const keep = (path: string, entry: Entry): void => {
    if (entry.tree.kind === "leaf" && entry.tree.value === null && !space.guards.has(path)) return;
    const before = found.get(path);
    if (before && !before.at.flag && !isSame(before, entry.tree))
      problems.error(label + path, `given twice, first in line ${before.at.line ?? "?"}`, entry.at);
    else if (!before) found.set(path, entry.tree);
  };

  const visit = (prefix: string, entries: readonly Entry[]): void => {
    for (const entry of entries) {
      const path = prefix + entry.key.toLowerCase();
      const { tree } = entry;
      const empty = tree.kind === "leaf" ? tree.value === null || tree.value === "" : false;
      if (space.leaves.has(path)) keep(path, entry);
      else if (space.roots.has(path) && tree.kind === "list") keep(path, entry);
      else if (inner.has(path) || space.roots.has(path)) {
        const short = space.shorthand.get(path);
        if (tree.kind === "map" && space.roots.has(path) && !found.has(path)) found.set(path, tree);
        if (tree.kind === "map") visit(`${path}.`, tree.entries);
        else if (short && !empty) keep(short, entry);
        else if (!empty && !(tree.kind === "list" && tree.items.length === 0)) misplaced(path, entry);
      } else unknown.push({ path, entry });
    }
  };
  const misplaced = (path: string, { tree }: Entry): void => {
    const message = "must hold keys and values";
    if (isOutputBlock(path)) problems.off(path, label + path, `${message}; the output ${path} is off`, tree.at);
    else if (falcosidekickBlocks.includes(path) && !mustFit(`${path}.`))
      problems.off(undefined, label + path, `${message}; it is left out`, tree.at);
    else problems.error(label + path, message, tree.at);
  };
  visit("", map.entries);
  return { found, unknown };
};
