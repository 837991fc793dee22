import type { Fields } from "../sdk/fields.ts";
import { fieldMeta } from "../sdk/fields.ts";
import { shorthand } from "./delivery-fields.ts";
import { envName } from "./environment.ts";
import { falcosidekickKeys } from "./falcosidekick-keys.ts";
import { flatten, type KeySpace } from "./flatten.ts";
import { nearest } from "./nearest.ts";
import type { Place } from "./problem.ts";
import { type Lookup, type Reader, readFields, type Settings } from "./settings.ts";
import type { ListTree, MapTree, Tree } from "./tree.ts";

/** One configured instance of an output or a source, parsed. */
export interface RawInstance<S extends Fields = Fields> extends Settings<S> {
  readonly id: string;
  readonly name?: string;
  /** Start of the keys in messages: `slack.` or `slack[1].`. */
  readonly label: string;
  readonly inList: boolean;
  /** Of the item of a list. */
  readonly at?: Place;
}

/** `region` of `aws.sqs` may stand in `aws`, for the keys that falcosidekick has there. */
export const sharedKey = (root: string, key: string): string | undefined => {
  const parent = root.includes(".") ? `${root.slice(0, root.lastIndexOf("."))}.${key}` : "";
  return falcosidekickKeys.has(parent) ? parent : undefined;
};

/** Every path that the fields of a root may stand at, secrets' `_file` companions included. */
export const leavesOf = (fields: Fields): string[] =>
  Object.entries(fields).flatMap(([key, schema]) => (fieldMeta(schema).secret ? [key, `${key}_file`] : [key]));

/** Of those, the ones that keep a door shut. */
export const guardsOf = (fields: Fields): string[] =>
  leavesOf(Object.fromEntries(Object.entries(fields).filter(([, schema]) => fieldMeta(schema).guard)));

export const spaceOf = (fields: Fields, extra: readonly string[] = []): KeySpace => ({
  leaves: new Set([...leavesOf(fields), ...extra]),
  roots: new Set(),
  guards: new Set(guardsOf(fields)),
  shorthand: new Map(Object.entries(shorthand).filter(([, to]) => to in fields)),
});

/** The instances under one root: one for a map (or nothing at all: the environment may fill it), one for each item of a list. */
export const readInstances = <S extends Fields>(
  root: string,
  fields: S,
  found: ReadonlyMap<string, Tree>,
  reader: Reader,
): readonly RawInstance<S>[] => {
  const tree = found.get(root);
  if (tree?.kind === "list") return readList(root, fields, tree, found, reader);
  const lookup: Lookup = {
    label: `${root}.`,
    inFile: (key) => found.get(`${root}.${key}`) ?? switchedOn(key, tree),
    envOver: (key) => [envName(`${root}.${key}`)],
    ...sharedLookup(root, found),
  };
  return [{ ...readFields(fields, lookup, reader), id: root, label: `${root}.`, inList: false }];
};

/** `stdout: {}` means stdout: a block that has a switch and does not say how it stands is on. */
const switchedOn = (key: string, block: Tree | undefined): Tree | undefined =>
  key === "enabled" && block?.kind === "map" ? { kind: "leaf", value: true, at: block.at } : undefined;

const sharedLookup = (root: string, found: ReadonlyMap<string, Tree>) => ({
  envUnder: (key: string): readonly string[] => {
    const shared = sharedKey(root, key);
    return shared ? [envName(shared)] : [];
  },
  fileUnder: (key: string): Tree | undefined => found.get(sharedKey(root, key) ?? ""),
});

const readList = <S extends Fields>(
  root: string,
  fields: S,
  list: ListTree,
  found: ReadonlyMap<string, Tree>,
  reader: Reader,
): readonly RawInstance<S>[] => {
  const taken = new Set<string>();
  const shared = sharedLookup(root, found);
  return list.items.flatMap((item, index) => {
    const label = `${root}[${index}].`;
    if (item.kind !== "map") {
      reader.problems.error(`${root}[${index}]`, "must hold keys and values", item.at);
      return [];
    }
    const name = nameOf(item, fields, index, label, reader);
    if (taken.has(name.toLowerCase()))
      reader.problems.error(`${label}name`, `the name "${name}" is taken by another instance`, item.at);
    taken.add(name.toLowerCase());
    const flat = flatten(item, spaceOf(fields, ["name", "instance"]), label, reader.problems);
    for (const { path, entry } of flat.unknown) {
      const near = nearest(path, Object.keys(fields));
      reader.problems.error(label + path, near ? `unknown key, did you mean ${near}?` : "unknown key", entry.at);
    }
    const lookup: Lookup = {
      label,
      inFile: (key) => flat.found.get(key) ?? switchedOn(key, item),
      envOver: (key) => [envName(`${root}.${name}.${key}`)],
      envUnder: (key) => [envName(`${root}.${key}`), ...shared.envUnder(key)],
      fileUnder: shared.fileUnder,
    };
    return [{ ...readFields(fields, lookup, reader), id: `${root}.${name}`, name, label, inList: true, at: item.at }];
  });
};

/** `name`, or `instance` where the output has a `name` of its own; the index when neither is there. */
const nameOf = (item: MapTree, fields: Fields, index: number, label: string, reader: Reader): string => {
  const keys = "name" in fields ? ["instance"] : ["instance", "name"];
  const entry = keys.map((k) => item.entries.find((e) => e.key.toLowerCase() === k)).find((e) => e !== undefined);
  const value = entry?.tree.kind === "leaf" && entry.tree.value !== null ? String(entry.tree.value) : String(index);
  if (/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(value)) return value;
  reader.problems.error(`${label}name`, "may hold letters, digits, dashes and underscores", entry?.tree.at);
  return String(index);
};
