import { goJson } from "../alert.ts";
import { compareBytewise } from "../bytewise.ts";
import { formatTime } from "../rfc3339.ts";
import { escapeHtml, escapeJs, escapeQuery } from "./escape.ts";
import { print, println } from "./format.ts";
import type { Fail } from "./member.ts";
import { sprintf } from "./printf.ts";
import {
  type GoFloat,
  type GoMap,
  type GoNamed,
  type GoStrings,
  type GoStruct,
  type GoTime,
  intOf,
  isMap,
  itemsOf,
  kindOf,
  stringOf,
  strings,
  truth,
  typeName,
  type Value,
} from "./value.ts";

/** Go's predefined functions but `and` and `or`, whose arguments are not all evaluated. */
export const callFunction = (name: string, args: readonly Value[], problem: Fail): Value => {
  const need = least[name];
  if (need !== undefined && (args.length < need.least || args.length > (need.most ?? Number.POSITIVE_INFINITY))) {
    return problem(
      `wrong number of args for ${name}: want ${need.most ? "" : "at least "}${need.least} got ${args.length}`,
    );
  }
  const [first, second] = args;
  switch (name) {
    case "not":
      return !truth(first);
    case "len":
      return length(first, problem);
    case "index":
      return args.slice(1).reduce((value, key) => indexOne(value, key, problem), checkItem(first, problem));
    case "slice":
      return slice(first, args.slice(1), problem);
    case "eq":
      return args.length < 2
        ? problem("missing argument for comparison")
        : args.slice(1).some((b) => equal(first, b, problem));
    case "ne":
      return !equal(first, second, problem);
    case "lt":
      return less(first, second, problem);
    case "le":
      return less(first, second, problem) || equal(first, second, problem);
    case "gt":
      return !(less(first, second, problem) || equal(first, second, problem));
    case "ge":
      return !less(first, second, problem);
    case "print":
      return print(args);
    case "println":
      return println(args);
    case "printf":
      return typeof first === "string"
        ? sprintf(first, args.slice(1))
        : problem(`wrong type for value; expected string; got ${typeName(first)}`);
    case "json":
      return jsonText(first);
    case "html":
      return escapeHtml(joined(args));
    case "js":
      return escapeJs(joined(args));
    case "urlquery":
      return escapeQuery(joined(args));
    default:
      return problem(
        first === undefined || first === null ? "call of nil" : "call of something that is not a function",
      );
  }
};

const one = { least: 1, most: 1 };
const two = { least: 2, most: 2 };
const least: Readonly<Record<string, { readonly least: number; readonly most?: number }>> = {
  not: one,
  len: one,
  index: { least: 1 },
  slice: { least: 1 },
  eq: { least: 1 },
  ne: two,
  lt: two,
  le: two,
  gt: two,
  ge: two,
  printf: { least: 1 },
  json: one,
  call: { least: 1 },
};

/** JSON of a value: of an alert its raw event, of a time RFC 3339, of a priority its name, of no value null. */
const jsonText = (value: Value): string => {
  switch (kindOf(value)) {
    case "none":
      return "null";
    case "struct":
      return (value as GoStruct).text();
    case "time":
      return goJson(formatTime((value as GoTime).instant));
    case "named":
      return goJson((value as GoNamed).text);
    case "int":
      return String(value);
    case "float":
      return goJson((value as GoFloat).n);
    case "strings":
      return goJson((value as GoStrings).items);
    default:
      return goJson(value);
  }
};

const joined = (args: readonly Value[]): string => print(args.map((arg) => arg ?? "<no value>"));

const length = (value: Value, problem: Fail): Value => {
  const text = stringOf(value);
  if (text !== undefined) return BigInt(Buffer.byteLength(text));
  const items = itemsOf(value);
  if (items !== undefined) return BigInt(items.length);
  if (isMap(value)) return BigInt(Object.keys(value).length);
  if (value === undefined || value === null) return problem("len of nil pointer");
  return problem(`len of type ${typeName(value)}`);
};

const checkItem = (value: Value, problem: Fail): Value =>
  value === undefined || value === null ? problem("index of untyped nil") : value;

const indexOne = (item: Value, key: Value, problem: Fail): Value => {
  if (item === undefined || item === null) return problem("index of nil pointer");
  if (isMap(item)) {
    if (key === undefined || key === null) return problem("value is nil; should be of type string");
    if (typeof key !== "string") return problem(`value has type ${typeName(key)}; should be string`);
    return Object.hasOwn(item, key) ? (item as GoMap)[key] : null;
  }
  const text = stringOf(item);
  const items = itemsOf(item);
  if (text === undefined && items === undefined) return problem(`can't index item of type ${typeName(item)}`);
  const bytes = items === undefined ? Buffer.from(text ?? "") : undefined;
  const at = place(key, bytes?.length ?? items?.length ?? 0, problem);
  return bytes === undefined ? items?.[at] : BigInt(bytes[at] ?? 0);
};

const place = (key: Value, limit: number, problem: Fail, inclusive = false): number => {
  const n = intOf(key);
  if (key === undefined || key === null) return problem("cannot index slice/array with nil");
  if (n === undefined) return problem(`cannot index slice/array with type ${typeName(key)}`);
  if (n < 0n || n > BigInt(limit) || (!inclusive && n === BigInt(limit))) return problem(`index out of range: ${n}`);
  return Number(n);
};

const slice = (item: Value, keys: readonly Value[], problem: Fail): Value => {
  if (item === undefined || item === null) return problem("slice of untyped nil");
  if (keys.length > 3) return problem(`too many slice indexes: ${keys.length}`);
  const text = stringOf(item);
  const items = itemsOf(item);
  if (text === undefined && items === undefined) return problem(`can't slice item of type ${typeName(item)}`);
  if (text !== undefined && keys.length === 3) return problem("cannot 3-index slice a string");
  const bytes = Buffer.from(text ?? "");
  const size = items?.length ?? bytes.length;
  const bounds = keys.map((key) => place(key, size, problem, true));
  const [from = 0, to = size, cap = size] = bounds;
  if (from > to || to > cap) return problem(`invalid slice index: ${from} > ${to}`);
  if (items === undefined) return bytes.toString("utf8", from, to);
  return kindOf(item) === "strings" ? strings(items.slice(from, to) as string[]) : items.slice(from, to);
};

type Basic = "bool" | "int" | "float" | "string" | undefined;

const basicKind = (value: Value): Basic => {
  const kind = kindOf(value);
  if (kind === "bool" || kind === "int" || kind === "float" || kind === "string") return kind;
  if (kind === "number") return "string";
  return kind === "named" ? "int" : undefined;
};

const isNone = (value: Value): boolean => value === undefined || value === null;

const equal = (a: Value, b: Value, problem: Fail): boolean => {
  const kind = basicKind(a);
  if (kind !== basicKind(b)) return isNone(a) || isNone(b) ? false : problem("incompatible types for comparison");
  switch (kind) {
    case "bool":
      return a === b;
    case "int":
      return intOf(a) === intOf(b);
    case "float":
      return (a as GoFloat).n === (b as GoFloat).n;
    case "string":
      return stringOf(a) === stringOf(b);
    default:
      if (isNone(a) || isNone(b)) return isNone(a) === isNone(b);
      if (kindOf(a) === "time" && kindOf(b) === "time") return sameTime(a as GoTime, b as GoTime);
      return problem(`non-comparable type ${typeName(a)}`);
  }
};

const sameTime = ({ instant: a }: GoTime, { instant: b }: GoTime): boolean =>
  a.seconds === b.seconds && a.nanos === b.nanos && a.offset === b.offset;

const less = (a: Value, b: Value, problem: Fail): boolean => {
  const kind = basicKind(a);
  if (kind === undefined || basicKind(b) === undefined) return problem("invalid type for comparison");
  if (kind !== basicKind(b)) return problem("incompatible types for comparison");
  switch (kind) {
    case "int":
      return (intOf(a) ?? 0n) < (intOf(b) ?? 0n);
    case "float":
      return (a as GoFloat).n < (b as GoFloat).n;
    case "string":
      return compareBytewise(stringOf(a) ?? "", stringOf(b) ?? "") < 0;
    default:
      return problem("invalid type for comparison");
  }
};
