import { type Entry, emptyMap, type ListTree, type MapTree, readValue, type Tree } from "./tree.ts";

const flag = { flag: true } as const;

/** Sets one key from the command line: `queue.driver=redis`, `rules[].disable.rule=x` (appends), `plugins[0].open_params=y`. */
export const override = (root: MapTree, assignment: string): MapTree => {
  const equals = assignment.indexOf("=");
  const path = equals < 0 ? assignment : assignment.slice(0, equals);
  const value = readValue(equals < 0 ? "true" : assignment.slice(equals + 1));
  const steps = path
    .replaceAll(/\[(\d*)\]/g, ".[$1]")
    .split(".")
    .filter((step) => step !== "");
  const result = put(root, steps, value);
  return result.kind === "map" ? result : root;
};

const put = (tree: Tree | undefined, steps: readonly string[], value: Tree): Tree => {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (step.startsWith("[")) {
    const items = tree?.kind === "list" ? tree.items : [];
    const index = step === "[]" ? items.length : Math.min(Number(step.slice(1, -1)), items.length);
    const changed = put(items[index], rest, value);
    const list: ListTree = {
      kind: "list",
      items: [...items.slice(0, index), changed, ...items.slice(index + 1)],
      at: flag,
    };
    return list;
  }
  const map = tree?.kind === "map" ? tree : emptyMap;
  const at = map.entries.findIndex((e) => e.key.toLowerCase() === step.toLowerCase());
  const old = map.entries[at];
  const entry: Entry = { key: old?.key ?? step, at: flag, tree: put(old?.tree, rest, value) };
  const entries = old ? map.entries.with(at, entry) : [...map.entries, entry];
  return { kind: "map", entries, at: map.at };
};
