import { z } from "zod";
import { type FieldMeta, fieldMeta } from "../sdk/fields.ts";
import { listOf, pairsOf } from "./items.ts";
import type { Leaf, Tree } from "./tree.ts";

/** What a field wants before its schema sees it; falcosidekick reads values of other types where the sense is plain. */
export type Kind = "text" | "flag" | "int" | "number" | "list" | "pairs";

interface Shape {
  readonly type?: string;
  readonly enum?: readonly string[];
}

const shapes = new WeakMap<z.ZodType, Shape>();
const shapeOf = (schema: z.ZodType): Shape => {
  let shape = shapes.get(schema);
  if (!shape) {
    shape = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Shape;
    shapes.set(schema, shape);
  }
  return shape;
};

const kinds: Readonly<Record<string, Kind>> = {
  boolean: "flag",
  integer: "int",
  number: "number",
  array: "list",
  object: "pairs",
};
export const kindOf = (schema: z.ZodType): Kind => kinds[shapeOf(schema).type ?? ""] ?? "text";

/** `value` undefined: as if the key were absent. `notes` are warnings. */
export type Coerced = { readonly value: unknown; readonly notes?: readonly string[] } | { readonly fault: string };

const trues = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const falses = new Set(["0", "f", "F", "FALSE", "false", "False"]);

/** A text (environment, file, quoted YAML) as the field's type; never echoes the text. */
export const coerceText = (schema: z.ZodType, text: string): Coerced => {
  const meta = fieldMeta(schema);
  switch (kindOf(schema)) {
    case "text":
      return { value: closestOption(shapeOf(schema).enum, text) };
    case "flag":
      if (text === "") return { value: undefined };
      if (trues.has(text)) return { value: true };
      return falses.has(text) ? { value: false } : { fault: "must be true or false" };
    case "int":
    case "number": {
      const number = text.trim();
      if (number === "") return { value: undefined };
      return /^[+-]?\d+(\.\d+)?$/.test(number) ? { value: Number(number) } : { fault: "must be a number" };
    }
    case "list":
      return { value: listOf(text) };
    case "pairs":
      return pairsFrom(text, meta);
  }
};

const pairsFrom = (text: string, meta: FieldMeta): Coerced => {
  const { map, rejected } = pairsOf(text, meta.bare);
  const named = rejected.map((item) => (meta.secret ? "an item" : `"${item}"`));
  return { value: map, notes: named.map((item) => `${item} is not key:value and is left out`) };
};

/** Options are compared without case when that is unambiguous. */
const closestOption = (options: readonly string[] | undefined, text: string): string =>
  options?.includes(text) ? text : (options?.find((o) => o.toLowerCase() === text.toLowerCase()) ?? text);

/** A value of the file as the field's type. */
export const coerceTree = (schema: z.ZodType, tree: Tree): Coerced => {
  if (tree.kind === "leaf") return coerceLeaf(schema, tree);
  const kind = kindOf(schema);
  if (kind === "list") return tree.kind === "list" ? listFrom(tree.items) : { fault: "must be a list" };
  if (kind === "pairs" && tree.kind === "map") {
    const entries = tree.entries.map(
      ({ key, tree: t }) => [fieldMeta(schema).exact ? key : key.toLowerCase(), t] as const,
    );
    const wrong = entries.find(([, t]) => t.kind !== "leaf");
    if (wrong) return { fault: `"${wrong[0]}" must be a text` };
    // A guard's name without a value is a fault for its schema to name, not a name less.
    const set = entries.filter(([, t]) => t.kind === "leaf" && (t.value !== null || fieldMeta(schema).guard));
    return {
      value: Object.fromEntries(set.map(([key, t]) => [key, leafText(t as Leaf)])),
      notes: set.flatMap(([key, t]) => booleanNote(t as Leaf, `"${key}": `)),
    };
  }
  const wanted: Record<Kind, string> = {
    text: "a text",
    flag: "true or false",
    int: "a number",
    number: "a number",
    list: "a list",
    pairs: "a map of texts",
  };
  return { fault: `must be ${wanted[kind]}` };
};

const coerceLeaf = (schema: z.ZodType, leaf: Leaf): Coerced => {
  const { value } = leaf;
  if (value === null) return { value: undefined };
  const kind = kindOf(schema);
  if (typeof value === "string") return kind === "pairs" && value === "" ? { value: {} } : coerceText(schema, value);
  if (kind === "text") return { value: leafText(leaf), notes: booleanNote(leaf, "") };
  if (kind === "list") return { value: [leafText(leaf)] };
  if (kind === "pairs") return { fault: "must be a map of texts" };
  if (kind === "flag") return { value: typeof value === "boolean" ? value : Number(value) !== 0 };
  return { value: Number(value) };
};

const listFrom = (items: readonly Tree[]): Coerced => {
  if (items.some((item) => item.kind !== "leaf")) return { fault: "must be a list of texts" };
  return { value: items.flatMap((item) => (item.kind === "leaf" && item.value !== null ? [leafText(item)] : [])) };
};

/** Where text is wanted, falcosidekick writes true as `1` and false as `0`. */
const leafText = ({ value }: Leaf): string => {
  if (typeof value === "boolean") return value ? "1" : "0";
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
