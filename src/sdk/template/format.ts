/** Go's fmt: one value under one verb. */

import type { FieldValue } from "../alert.ts";
import { compareBytewise } from "../bytewise.ts";
import { goValue } from "../field-text.ts";
import { instantText } from "../rfc3339.ts";
import { TemplateError } from "./error.ts";
import {
  type GoFloat,
  type GoMap,
  type GoNamed,
  type GoStruct,
  type GoTime,
  intOf,
  itemsOf,
  kindOf,
  stringOf,
  typeName,
  type Value,
} from "./value.ts";
import { formatFloat, formatInt, formatText, pad, plainSpec, type Spec } from "./verbs.ts";

const maxDepth = 200;

/** The value's own String method, where Go's type has one. */
const methodText = (value: Value): string | undefined => {
  switch (kindOf(value)) {
    case "number":
      return stringOf(value);
    case "time":
      return instantText((value as GoTime).instant);
    case "named":
      return (value as GoNamed).text;
    case "struct":
      return (value as GoStruct).text();
    default:
      return undefined;
  }
};

const isNone = (value: Value): value is null | undefined => value === undefined || value === null;

const bad = (value: Value, spec: Spec): string =>
  `%!${spec.verb}(${isNone(value) ? "<nil>" : `${typeName(value)}=${formatValue(value, { ...spec, verb: "v", sharp: false })}`})`;

/** The value under a verb, Go's `%!v(type=value)` where the verb does not fit. Throws TemplateError for what is nested more than 200 deep. */
export const formatValue = (value: Value, spec: Spec, depth = 0): string => {
  if (depth > maxDepth) throw new TemplateError("the value is nested too deep to be printed so");
  if (isNone(value)) return formatNone(spec, depth);
  if (spec.verb === "T") return formatText(typeName(value), { ...spec, verb: "s" }) ?? "";
  const own = spec.sharp && spec.verb === "v" ? undefined : methodText(value);
  if (own !== undefined && "vsxXq".includes(spec.verb)) return formatText(own, spec) ?? "";
  switch (kindOf(value)) {
    case "bool":
      return "vt".includes(spec.verb) ? pad(String(value), spec) : bad(value, spec);
    case "int":
    case "named":
      return formatInt(intOf(value) ?? 0n, spec) ?? bad(value, spec);
    case "float":
      return formatFloat((value as GoFloat).n, spec) ?? bad(value, spec);
    case "string":
    case "number":
      return formatText(stringOf(value) ?? "", spec) ?? bad(value, spec);
    case "map":
    case "list":
    case "strings":
      return spec === plainSpec && depth === 0 && kindOf(value) !== "strings"
        ? goValue(value as FieldValue)
        : formatItems(value, spec, depth);
    default:
      return own === undefined ? typeName(value) : bad(value, spec);
  }
};

const formatNone = (spec: Spec, depth: number): string => {
  if (depth > 0) return spec.sharp && spec.verb === "v" ? "interface {}(nil)" : "<nil>";
  return spec.verb === "v" || spec.verb === "T" ? pad("<nil>", spec) : `%!${spec.verb}(<nil>)`;
};

const formatItems = (value: Value, spec: Spec, depth: number): string => {
  const sharp = spec.sharp && spec.verb === "v";
  const items = itemsOf(value);
  const parts =
    items?.map((item) => formatValue(item, spec, depth + 1)) ??
    Object.keys(value as GoMap)
      .sort(compareBytewise)
      .map((key) => `${formatValue(key, spec, depth + 1)}:${formatValue((value as GoMap)[key], spec, depth + 1)}`);
  if (sharp) return `${typeName(value)}{${parts.join(", ")}}`;
  return `${items === undefined ? "map[" : "["}${parts.join(" ")}]`;
};

/** What an action prints. */
export const printValue = (value: Value): string => (isNone(value) ? "<no value>" : formatValue(value, plainSpec));

const isText = (value: Value): boolean => stringOf(value) !== undefined;

/** Go's Sprint: blanks between operands that are both no strings. */
export const print = (args: readonly Value[]): string =>
  args
    .map((arg, i) => (i > 0 && !isText(arg) && !isText(args[i - 1]) ? " " : "") + formatValue(arg, plainSpec))
    .join("");

/** Go's fmt.Sprintln: blanks between all arguments, a line break at the end. */
export const println = (args: readonly Value[]): string =>
  `${args.map((arg) => formatValue(arg, plainSpec)).join(" ")}\n`;
