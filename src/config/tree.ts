import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseAllDocuments, parseDocument } from "yaml";
import type { Place, Problems } from "./problem.ts";

/** YAML with places: what the rest of the configuration is read from. Keys keep their spelling; compare in lower case. */
export type Tree = Leaf | ListTree | MapTree;

export interface Leaf {
  readonly kind: "leaf";
  readonly value: string | number | bigint | boolean | null;
  /** Of a number: as it is written. */
  readonly source?: string;
  /** The variable that the value wants and that is not set. */
  readonly unset?: string;
  readonly at: Place;
}
export interface ListTree {
  readonly kind: "list";
  readonly items: readonly Tree[];
  readonly at: Place;
}
export interface MapTree {
  readonly kind: "map";
  readonly entries: readonly Entry[];
  readonly at: Place;
}
export interface Entry {
  readonly key: string;
  /** Of the key. */
  readonly at: Place;
  readonly tree: Tree;
}

export const emptyMap: MapTree = { kind: "map", entries: [], at: {} };

/** Reads the first YAML document, whose root is a map; a further one that holds anything is named. Faults of the syntax are errors with their place; the result is what could be read. */
export const readYaml = (text: string, file: string, problems: Problems): MapTree => {
  const lines = new LineCounter();
  const all = parseAllDocuments(text.replace(/^\ufeff/, ""), {
    lineCounter: lines,
    merge: true,
    intAsBigInt: true,
    prettyErrors: false,
  });
  const place = (offset: number | undefined): Place => {
    if (offset === undefined) return { file };
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const [doc, ...further] = "empty" in all ? [] : all;
  if (!doc) return emptyMap;
  const ignored = further.find(({ contents }) => contents && !(isScalar(contents) && contents.value === null));
  if (ignored)
    problems.warn(
      "",
      "only the first document of the file is read: this one is not",
      place(ignored.contents?.range?.[0]),
    );
  for (const { code, message, pos } of doc.errors) {
    const key = /^[^\s:#]+/.exec(text.slice(pos[0]))?.[0] ?? "";
    problems.error(
      "",
      code === "DUPLICATE_KEY" ? `YAML: "${key}" stands twice here` : `YAML: ${said(code, message)}`,
      place(pos[0]),
    );
  }
  for (const { code, message, pos } of doc.warnings) problems.warn("", `YAML: ${said(code, message)}`, place(pos[0]));
  if (doc.errors.length > 0 || doc.contents === null) return emptyMap;
  const tree = convert(doc.contents, { place, problems, anchors: new Map(), anchorNames: anchorNames(text) });
  if (tree.kind === "map") return tree;
  if (tree.kind === "leaf" && tree.value === null) return emptyMap;
  problems.error("", "the file must hold keys and values", tree.at);
  return emptyMap;
};

/**
 * A value of the command line (`-o key=value`), read as YAML. As in Falco only what begins with a bracket is more than one
 * value, so `*x` (a rule's name), `&x` and `a: b` are text.
 */
export const readValue = (text: string): Tree => {
  const doc = parseDocument(text, { intAsBigInt: true });
  const at: Place = { flag: true };
  const { contents } = doc;
  const isText = !/^\s*[[{]/.test(text) && (!isScalar(contents) || contents.anchor !== undefined);
  if (doc.errors.length > 0 || contents === null || isText) return { kind: "leaf", value: text, at };
  return convert(contents, { place: () => at, anchors: new Map() });
};

const anchorNames = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(/(?<=[\s,[{-])&([^\s,[\]{}]+)/g)].flatMap(([, name]) => name ?? []));

/** The parser's words without what they quote of the file: a password may begin with `|`, `!` or hold a backslash. */
const said = (code: string, message: string): string => {
  const [line = ""] = message.split("\n", 1);
  if (code === "TAG_RESOLVE_FAILED") return "a tag that is not known; a text that begins with ! needs quotes";
  if (code === "BAD_DQ_ESCAPE") return "Invalid escape sequence";
  return line.replace(/: [|>].*$/, "");
};

/** Anchors are kept as they are met: an alias shares its tree, and one that holds itself finds no anchor. */
interface Reading {
  readonly place: (offset: number | undefined) => Place;
  readonly problems?: Problems;
  readonly anchors: Map<string, Tree>;
  /** Names of all anchors of the file: an alias of another name may be a password, which no message shows. */
  readonly anchorNames?: ReadonlySet<string>;
}

const convert = (node: ParsedNode | null, reading: Reading): Tree => {
  if (!isAlias(node)) {
    const tree = convertNode(node, reading);
    if (node?.anchor) reading.anchors.set(node.anchor, tree);
    return tree;
  }
  const at = reading.place(node.range[0]);
  const target = reading.anchors.get(node.source);
  if (!target)
    reading.problems?.error(
      "",
      reading.anchorNames?.has(node.source)
        ? `no anchor "${node.source}" above this alias`
        : "no anchor of that name above this alias; a text that begins with * needs quotes",
      at,
    );
  return target ? { ...target, at } : { kind: "leaf", value: null, at };
};

const convertNode = (node: ParsedNode | null, reading: Reading): Tree => {
  const at = reading.place(node?.range?.[0]);
  if (isMap(node)) {
    const entries: Entry[] = [];
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? key.value : String(key);
      const keyAt = reading.place(key.range?.[0]);
      const tree = convert(value, reading);
      if ((typeof name === "symbol" || name === "<<") && tree.kind !== "leaf") mergeInto(entries, tree);
      else entries.push({ key: String(name), at: keyAt, tree: withPlace(tree, keyAt) });
    }
    return { kind: "map", entries: lastOfMerged(entries), at };
  }
  if (isSeq(node)) return { kind: "list", items: node.items.map((i) => convert(i, reading)), at };
  const value = scalar(isScalar(node) ? node.value : null);
  const source = typeof value === "number" && isScalar(node) ? node.source : undefined;
  return { kind: "leaf", value, ...(source !== undefined && { source }), at };
};

/** An empty value has no place of its own: its key's. */
const withPlace = (tree: Tree, at: Place): Tree =>
  tree.at.line === undefined && !tree.at.flag ? { ...tree, at } : tree;

const scalar = (value: unknown): Leaf["value"] => {
  if (typeof value === "bigint") return BigInt(Number(value)) === value ? Number(value) : value;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return value === null || value === undefined ? null : String(value);
};

const merged = new WeakSet<Entry>();

const mergeInto = (entries: Entry[], tree: ListTree | MapTree): void => {
  const maps = tree.kind === "map" ? [tree] : tree.items.filter((i) => i.kind === "map");
  for (const map of maps)
    for (const entry of map.entries) {
      if (entries.some((e) => e.key === entry.key)) continue;
      const copy = { ...entry };
      merged.add(copy);
      entries.push(copy);
    }
};

/** A key of the map itself wins over one that `<<` brought. */
const lastOfMerged = (entries: readonly Entry[]): Entry[] =>
  entries.filter(
    (e, i) => !merged.has(e) || !entries.some((other, j) => i !== j && !merged.has(other) && other.key === e.key),
  );

/** The tree with its leaves changed; what aliases share is changed once, however often it stands there. */
export function mapLeaves(tree: MapTree, change: (leaf: Leaf) => Leaf): MapTree;
export function mapLeaves(tree: Tree, change: (leaf: Leaf) => Leaf): Tree;
export function mapLeaves(tree: Tree, change: (leaf: Leaf) => Leaf): Tree {
  const lists = new Map<readonly Tree[], readonly Tree[]>();
  const maps = new Map<readonly Entry[], readonly Entry[]>();
  const visit = (each: Tree): Tree => {
    if (each.kind === "leaf") return change(each);
    if (each.kind === "list") {
      const items = lists.get(each.items) ?? each.items.map(visit);
      lists.set(each.items, items);
      return { ...each, items };
    }
    const entries = maps.get(each.entries) ?? each.entries.map((entry) => ({ ...entry, tree: visit(entry.tree) }));
    maps.set(each.entries, entries);
    return { ...each, entries };
  };
  return visit(tree);
}

/** The tree as plain data (Falco's init_config), keys as written. */
export const plain = (tree: Tree): unknown => {
  if (tree.kind === "leaf") return tree.value;
  if (tree.kind === "list") return tree.items.map(plain);
  return Object.fromEntries(tree.entries.map((e) => [e.key, plain(e.tree)]));
};

/** The text of a single value; undefined: there is none. */
export const textOf = (tree: Tree | undefined): string | undefined =>
  tree?.kind === "leaf" && tree.value !== null ? String(tree.value) : undefined;

/** Plain data as a tree that stands in one place. */
export const treeOf = (value: unknown, at: Place): Tree => {
  if (Array.isArray(value)) return { kind: "list", items: value.map((item) => treeOf(item, at)), at };
  if (typeof value !== "object" || value === null) return { kind: "leaf", value: scalar(value), at };
  const entries = Object.entries(value).map(([key, item]): Entry => ({ key, at, tree: treeOf(item, at) }));
  return { kind: "map", entries, at };
};
