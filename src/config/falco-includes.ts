import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expand } from "./expand.ts";
import { override } from "./override.ts";
import type { Problems } from "./problem.ts";
import { errorCode, type Reader } from "./settings.ts";
import { type Entry, emptyMap, type MapTree, readYaml, type Tree, textOf } from "./tree.ts";

/** How a further file is laid over what is there, key by key of the first level. */
const strategies = ["append", "override", "add-only"] as const;
type Strategy = (typeof strategies)[number];

interface Include {
  readonly path: string;
  readonly strategy: Strategy;
  readonly at: Tree["at"];
}

/** Falco's packages name this folder, whether it is there or not. */
const shippedFolder = "/etc/falco/config.d";

/**
 * The file as it counts: those that its `config_files` names (falco.yaml) laid over it, then what the command line sets;
 * that may name `config_files`, too.
 */
export const completed = (
  root: MapTree,
  main: string | undefined,
  overrides: readonly string[],
  reader: Reader,
): MapTree => {
  const naming = overrides.filter((assignment) => /^config_files\b/i.test(assignment));
  const others = overrides.filter((assignment) => !naming.includes(assignment));
  return others.reduce(override, withIncluded(naming.reduce(override, root), main, reader));
};

const withIncluded = (root: MapTree, main: string | undefined, reader: Reader): MapTree => {
  const { read, problems } = reader;
  const named = child(root, "config_files");
  if (!named) return root;
  const files = includesOf(expand(named, reader.env), problems).flatMap((include) =>
    filesOf(include, read, problems).map(({ path, text }) => ({ ...include, path, text })),
  );
  return files.reduce(
    (merged, { path, text, strategy, at }) => {
      if (path === main) {
        problems.error("config_files", `${path} names itself`, at);
        return merged;
      }
      const tree = readYaml(text, path, problems);
      const nested = child(tree, "config_files");
      if (nested) problems.error("config_files", "must not stand in a file that config_files names", nested.at);
      return lay(merged, nested ? emptyMap : tree, strategy);
    },
    without(root, "config_files"),
  );
};

const child = (map: MapTree, key: string): Tree | undefined =>
  map.entries.find((entry) => entry.key.toLowerCase() === key)?.tree;

const without = (map: MapTree, key: string): MapTree => ({
  ...map,
  entries: map.entries.filter((entry) => entry.key.toLowerCase() !== key),
});

const includesOf = (tree: Tree, problems: Problems): readonly Include[] => {
  if (tree.kind === "leaf" && tree.value === null) return [];
  return (tree.kind === "list" ? tree.items : [tree]).flatMap((item): Include[] => {
    const path = textOf(item.kind === "map" ? child(item, "path") : item);
    const asked = (item.kind === "map" ? textOf(child(item, "strategy")) : undefined) ?? "append";
    const strategy = strategies.find((one) => one === asked);
    if (path === undefined || path === "")
      problems.error("config_files", "must hold paths, or path and strategy", item.at);
    else if (strategy === undefined)
      problems.error("config_files", `strategy must be one of ${strategies.join(", ")}`, item.at);
    else return [{ path, strategy, at: item.at }];
    return [];
  });
};

/** The file, or the YAML files of a folder in the order of their names. One that is not there is left out, as in Falco, but named. */
const filesOf = (
  { path, at }: Include,
  read: Reader["read"],
  problems: Problems,
): readonly { readonly path: string; readonly text: string }[] => {
  try {
    return [{ path, text: read(path) }];
  } catch (error) {
    const code = errorCode(error);
    if (code === "EISDIR")
      return filesIn(path).flatMap((file) => filesOf({ path: file, strategy: "append", at }, read, problems));
    if (code !== "ENOENT") problems.error("config_files", `${path} cannot be read (${code})`, at);
    else if (path.replace(/\/+$/, "") !== shippedFolder)
      problems.warn("config_files", `${path} is not there and is left out`, at);
    return [];
  }
};

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && /^[^.].*\.ya?ml$/.test(entry.name))
    .map((entry) => join(folder, entry.name))
    .sort();

const lay = (under: MapTree, over: MapTree, strategy: Strategy): MapTree => {
  const entries = [...under.entries];
  for (const entry of over.entries) {
    const at = entries.findIndex(({ key }) => key.toLowerCase() === entry.key.toLowerCase());
    const old = entries[at];
    if (!old) entries.push(entry);
    else if (strategy !== "add-only") entries[at] = strategy === "append" ? joined(old, entry) : entry;
  }
  return { ...under, entries };
};

const joined = (old: Entry, more: Entry): Entry =>
  old.tree.kind === "list" && more.tree.kind === "list"
    ? { ...more, tree: { ...more.tree, items: [...old.tree.items, ...more.tree.items] } }
    : more;
