import { z } from "zod";
import { type FieldMeta, fieldMeta } from "../sdk/fields.ts";
import { unsetFault } from "./expand.ts";
import { listOf, pairsOf } from "./items.ts";
import type { Entry, Leaf, Tree } from "./tree.ts";

/** What a field wants before its schema sees it; falcosidekick reads values of other types where the sense is plain. */
export type FieldKind = "text" | "flag" | "int" | "number" | "list" | "pairs";

type Shape = z.core.JSONSchema.BaseSchema;

const shapes = new WeakMap<z.ZodType, Shape>();
const shapeOf = (schema: z.ZodType): Shape => {
  let shape = shapes.get(schema);
  if (!shape) {
    shape = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
    shapes.set(schema, shape);
  }
  return shape;
};

const kinds: Readonly<Record<string, FieldKind>> = {
  boolean: "flag",
  integer: "int",
  number: "number",
  array: "list",
  object: "pairs",
};
export const kindOf = (schema: z.ZodType): FieldKind => kinds[String(shapeOf(schema).type)] ?? "text";

/** `value` undefined: as if the key were absent. `notes` are warnings. */
export type Coerced = { readonly value: unknown; readonly notes?: readonly string[] } | { readonly fault: string };

const words: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(["1", "t", "true", "y", "yes", "on"].map((word) => [word, true])),
  ...Object.fromEntries(["0", "f", "false", "n", "no", "off"].map((word) => [word, false])),
};

/** A text (environment, file, quoted YAML) as the field's type; never echoes the text. */
export const coerceText = (schema: z.ZodType, written: string): Coerced => {
  const meta = fieldMeta(schema);
  const text = meaningful(written, meta);
  switch (kindOf(schema)) {
    case "text": {
      const options = shapeOf(schema).enum?.map(String);
      // As falcosidekick's client of the service reads it, and curl in Falco.
      if (meta.assumed !== undefined && /^[\w.-]+(:\d+$|(:\d+)?\/)/.test(text))
        return { value: `${meta.assumed}://${text}`, notes: [`has no scheme: ${meta.assumed}:// is assumed`] };
      return { value: options && text === "" ? undefined : closestOption(options, text) };
    }
    case "flag": {
      if (text === "") return { value: undefined };
      const value = words[text.toLowerCase()];
      return value === undefined ? { fault: "must be true or false" } : { value };
    }
    case "int":
    case "number": {
      if (text === "") return { value: undefined };
      return /^[+-]?\d+(\.\d+)?$/.test(text) ? { value: Number(text) } : { fault: "must be a number" };
    }
    case "list":
      return { value: listOf(text) };
    case "pairs":
      return pairsFrom(text, meta);
  }
};

/** Without the blanks and line breaks at its ends, which no key, header or address has; of a guard, something remains to be refused. */
const meaningful = (text: string, meta: FieldMeta): string => {
  const trimmed = text.trim();
  return meta.raw || (meta.guard && trimmed === "") ? text : trimmed;
};

const pairsFrom = (text: string, meta: FieldMeta): Coerced => {
  const { map, rejected } = pairsOf(text, meta.bare);
  const named = rejected.map((item) => (meta.secret ? "an item" : `"${item}"`));
  const value = meta.secret ? Object.fromEntries(Object.entries(map).map(([key, text]) => [key, text.trim()])) : map;
  return { value, notes: named.map((item) => `${item} is not key:value and is left out`) };
};

/** Options are compared without case when that is unambiguous. */
const closestOption = (options: readonly string[] | undefined, text: string): string =>
  options?.includes(text) ? text : (options?.find((o) => o.toLowerCase() === text.toLowerCase()) ?? text);

/** A value of the file as the field's type. */
export const coerceTree = (schema: z.ZodType, tree: Tree): Coerced => {
  if (tree.kind === "leaf") return coerceLeaf(schema, tree);
  const kind = kindOf(schema);
  const meta = fieldMeta(schema);
  if (kind === "list") return tree.kind === "list" ? listFrom(tree.items, meta) : { fault: "must be a list" };
  if (kind === "pairs" && tree.kind === "map") return mapFrom(tree.entries, meta);
  if (kind === "pairs" && tree.kind === "list" && tree.items.every((item) => item.kind === "map"))
    return mapFrom(
      tree.items.flatMap((item) => item.entries),
      meta,
    );
  if (kind === "text" && tree.kind === "list" && (meta.commas || tree.items.length < 2)) {
    const list = listFrom(tree.items, meta);
    return "fault" in list ? list : coerceText(schema, list.value.join(","));
  }
  const wanted: Record<FieldKind, string> = {
    text: "a text",
    flag: "true or false",
    int: "a number",
    number: "a number",
    list: "a list",
    pairs: "a map of texts",
  };
  return { fault: `must be ${wanted[kind]}` };
};

const mapFrom = (all: readonly Entry[], meta: FieldMeta): Coerced => {
  const notes: string[] = [];
  const map: [string, string][] = [];
  for (const { key: written, tree } of all) {
    const key = meta.exact ? written : written.toLowerCase();
    if (tree.kind !== "leaf") return { fault: `"${key}" must be a text` };
    // A guard's name without a value is a fault for its schema to name, not a name less.
    if (tree.value === null && !meta.guard) continue;
    if (tree.unset !== undefined && meta.secret) return { fault: unsetFault(tree.unset) };
    if (tree.unset !== undefined) notes.push(`"${key}" is left out: ${unsetFault(tree.unset)}`);
    else map.push([key, meta.secret ? leafText(tree).trim() : leafText(tree)]);
    notes.push(...booleanNote(tree, `"${key}": `));
  }
  return { value: Object.fromEntries(map), notes };
};

const coerceLeaf = (schema: z.ZodType, leaf: Leaf): Coerced => {
  const { value, unset } = leaf;
  if (unset !== undefined) return { fault: unsetFault(unset) };
  if (value === null) return { value: undefined };
  const kind = kindOf(schema);
  if (typeof value === "string") return kind === "pairs" && value === "" ? { value: {} } : coerceText(schema, value);
  if (kind === "text") return { value: leafText(leaf), notes: booleanNote(leaf, "") };
  if (kind === "list") return { value: [leafText(leaf)] };
  if (kind === "pairs") return { fault: "must be a map of texts" };
  if (kind === "flag") return { value: typeof value === "boolean" ? value : Number(value) !== 0 };
  return { value: Number(value) };
};

const listFrom = (
  items: readonly Tree[],
  meta: FieldMeta,
): { readonly value: readonly string[] } | { readonly fault: string } => {
  const texts: string[] = [];
  for (const item of items) {
    if (item.kind !== "leaf") return { fault: "must be a list of texts" };
    if (item.unset !== undefined) return { fault: unsetFault(item.unset) };
    texts.push(item.value === null ? "" : meaningful(leafText(item), meta));
  }
  return { value: texts.filter((text) => text !== "") };
};

/** Where text is wanted, falcosidekick writes true as `1` and false as `0`. */
const leafText = ({ value, source }: Leaf): string => {
  if (typeof value === "boolean") return value ? "1" : "0";
  if (source !== undefined) return source;
  return typeof value === "number" ? plainNumber(value) : String(value ?? "");
};
const booleanNote = (leaf: Leaf, prefix: string): string[] =>
  typeof leaf.value === "boolean"
    ? [
        `${prefix}${leaf.value} stands for the text "${leafText(leaf)}" here, as in falcosidekick; quote it to keep the word`,
      ]
    : [];

/** Without an exponent. */
const plainNumber = (value: number): string =>
  Number.isInteger(value) && Number.isFinite(value) ? BigInt(value).toString() : String(value);
