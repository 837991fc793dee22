import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";
import { isForgiven, type YamlFault, yamlFault } from "./yaml-fault.ts";

/**
 * YAML as yaml-cpp reads it for Falco: scalars keep their text, of equal keys the first counts, merge keys are ordinary
 * keys, and every node knows its offset in the text.
 */
export type YamlNode =
  | { readonly kind: "scalar"; readonly at: number; readonly text: string; readonly plain: boolean }
  | { readonly kind: "null"; readonly at: number }
  | { readonly kind: "seq"; readonly at: number; readonly items: readonly YamlNode[] }
  | { readonly kind: "map"; readonly at: number; readonly entries: readonly YamlEntry[] };

export interface YamlEntry {
  readonly key: YamlNode;
  readonly value: YamlNode;
}

/** The documents of a file, or the first fault in yaml-cpp's words where they are known. */
export const readYaml = (text: string): readonly YamlNode[] | YamlFault => {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    schema: "failsafe",
    uniqueKeys: false,
    merge: false,
    strict: false,
    version: "1.2",
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "silent",
  });
  if (!Array.isArray(documents)) return [];
  for (const document of documents) {
    const error = document.errors.find((e) => !isForgiven(e, text));
    if (error !== undefined) return yamlFault(error, text);
  }
  try {
    return documents.map((document) => convert(document.contents as Node | null, text, new Map()));
  } catch (error) {
    if (error instanceof UndefinedAlias)
      return { message: `the referenced anchor is not defined: ${error.anchor}`, at: error.at };
    throw error;
  }
};

class UndefinedAlias extends Error {
  readonly anchor: string;
  readonly at: number;
  constructor(anchor: string, at: number) {
    super("undefined alias");
    this.anchor = anchor;
    this.at = at;
  }
}

const nulls = new Set(["", "~", "null", "Null", "NULL"]);

const convert = (node: Node | null, text: string, anchors: Map<string, YamlNode>): YamlNode => {
  if (node === null) return { kind: "null", at: 0 };
  const at = node.range?.[0] ?? 0;
  if (isAlias(node)) return resolveAlias(node, at, anchors);
  const made = convertPlain(node, at, text, anchors);
  if ("anchor" in node && typeof node.anchor === "string") anchors.set(node.anchor, made);
  return made;
};

const resolveAlias = (alias: Alias, at: number, anchors: ReadonlyMap<string, YamlNode>): YamlNode => {
  const made = anchors.get(alias.source);
  if (made === undefined) throw new UndefinedAlias(alias.source, at);
  return made;
};

const convertPlain = (node: Node, at: number, text: string, anchors: Map<string, YamlNode>): YamlNode => {
  if (isSeq(node))
    return { kind: "seq", at, items: node.items.map((item) => convert(item as Node | null, text, anchors)) };
  if (isMap(node))
    return {
      kind: "map",
      at,
      entries: node.items.map((pair) => {
        const key = convert(pair.key as Node | null, text, anchors);
        const value =
          pair.value === null ? ({ kind: "null", at: key.at } as const) : convert(pair.value as Node, text, anchors);
        return { key, value };
      }),
    };
  if (!isScalar(node)) return { kind: "null", at };
  const value = typeof node.value === "string" ? node.value : String(node.value ?? "");
  const plain = node.type === "PLAIN" || node.type === undefined;
  if (plain && nulls.has(value)) return { kind: "null", at: value === "" ? nextToken(text, at) : at };
  const cutOff = !plain && node.source !== undefined && isCutOff(text, at, node);
  return { kind: "scalar", at, text: cutOff ? `${value} ` : value, plain };
};

/** A quoted scalar that the end of the file ends, behind a line break: yaml-cpp folds that break to a blank. */
const isCutOff = (text: string, at: number, node: Node): boolean => {
  const quote = text[at];
  const end = node.range?.[1] ?? at;
  return (
    (quote === '"' || quote === "'") && text[end - 1] !== quote && end >= text.trimEnd().length && text.endsWith("\n")
  );
};

/** yaml-cpp gives an empty value the place of the token that follows. */
const nextToken = (text: string, at: number): number => {
  let i = at;
  while (i < text.length && /[\s]/.test(text[i] as string)) i++;
  return i;
};

export const entryOf = (node: YamlNode, key: string): YamlNode | undefined =>
  node.kind === "map"
    ? node.entries.find((entry) => entry.key.kind === "scalar" && entry.key.text === key)?.value
    : undefined;
