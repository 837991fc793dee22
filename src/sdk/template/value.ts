/**
 * Go values as templates meet them. JavaScript's own types stand for what alerts hold: a number (or RawNumber) is Go's
 * json.Number, a string that prints as written; null is a nil interface, undefined Go's "no value"; a bigint is an int.
 */
import { type FieldValue, isNumber, isRawNumber, type RawNumber } from "../alert.ts";
import type { Instant } from "../rfc3339.ts";

/** Marks values whose Go type no type of JavaScript stands for. */
export const go = Symbol("go");

/** A float64. */
export interface GoFloat {
  readonly [go]: "float";
  readonly n: number;
}
/** A []string. */
export interface GoStrings {
  readonly [go]: "strings";
  readonly items: readonly string[];
}
/** A struct with a String method; `type` is its name in Go (`types.FalcoPayload`). */
export interface GoStruct {
  readonly [go]: "struct";
  readonly type: string;
  readonly fields: Readonly<Record<string, Value>>;
  /** Its String method. */
  readonly text: () => string;
}
/** A time.Time. */
export interface GoTime {
  readonly [go]: "time";
  readonly instant: Instant;
}
/** An integer type with a String method: a priority, a month, a weekday. */
export interface GoNamed {
  readonly [go]: "named";
  readonly type: string;
  readonly n: bigint;
  readonly text: string;
}
type Special = GoFloat | GoStrings | GoStruct | GoTime | GoNamed;
/** A map[string]interface{}. */
export type GoMap = { readonly [key: string]: Value };
/** A []interface{}. */
export type GoList = readonly Value[];
/** Any value that a template can meet. */
export type Value = undefined | null | string | boolean | bigint | number | RawNumber | Special | GoList | GoMap;

/** Which of them a value is. */
export type GoKind = "none" | "string" | "number" | "bool" | "int" | "map" | "list" | Special[typeof go];

/** null and undefined are both `none`. */
export const kindOf = (value: Value): GoKind => {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "number";
    case "undefined":
      return "none";
    default:
      if (value === null) return "none";
      if (Array.isArray(value)) return "list";
      if (isRawNumber(value)) return "number";
      return (value as Partial<Special>)[go] ?? "map";
  }
};

/** A float64 as a value. */
export const float = (n: number): GoFloat => ({ [go]: "float", n });
/** A []string as a value. */
export const strings = (items: readonly string[]): GoStrings => ({ [go]: "strings", items });

const typeNames: Readonly<Partial<Record<GoKind, string>>> = {
  none: "<nil>",
  string: "string",
  number: "json.Number",
  bool: "bool",
  int: "int",
  float: "float64",
  map: "map[string]interface {}",
  list: "[]interface {}",
  strings: "[]string",
  time: "time.Time",
};

/** The type's name as Go prints it: `map[string]interface {}`. */
export const typeName = (value: Value): string => typeNames[kindOf(value)] ?? (value as GoStruct | GoNamed).type;

/** A string or a json.Number as text. */
export const stringOf = (value: Value): string | undefined => {
  if (typeof value === "string") return value;
  return isNumber(value as FieldValue) ? numberAsText(value as number | RawNumber) : undefined;
};

const numberAsText = (value: number | RawNumber): string => (typeof value === "number" ? String(value) : value.rawJSON);

/** An int or a named integer. */
export const intOf = (value: Value): bigint | undefined =>
  typeof value === "bigint" ? value : kindOf(value) === "named" ? (value as GoNamed).n : undefined;

/** Items of a list of either type. */
export const itemsOf = (value: Value): GoList | undefined => {
  if (Array.isArray(value)) return value as GoList;
  return kindOf(value) === "strings" ? (value as GoStrings).items : undefined;
};

/** Whether the value is a map. */
export const isMap = (value: Value): value is GoMap => kindOf(value) === "map";

/** What `if` makes of it. */
export const truth = (value: Value): boolean => {
  switch (kindOf(value)) {
    case "none":
      return false;
    case "bool":
      return value as boolean;
    case "int":
    case "named":
      return intOf(value) !== 0n;
    case "float":
      return (value as GoFloat).n !== 0;
    case "string":
    case "number":
      return stringOf(value) !== "";
    case "map":
      return Object.keys(value as GoMap).length > 0;
    case "list":
    case "strings":
      return (itemsOf(value) ?? []).length > 0;
    default:
      return true;
  }
};
