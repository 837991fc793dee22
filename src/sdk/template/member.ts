import { civil, type Instant, instantText } from "../rfc3339.ts";
import { formatLayout, months, weekdays } from "./layout.ts";
import {
  float,
  type GoMap,
  type GoNamed,
  type GoStruct,
  type GoTime,
  go,
  kindOf,
  stringOf,
  typeName,
  type Value,
} from "./value.ts";

/** Ends the run with this message: throws TemplateError. */
export type Fail = (message: string) => never;

/** `.Name` of a value, with arguments where it is a method. */
export const fieldOf = (value: Value, name: string, args: readonly Value[], problem: Fail): Value => {
  if (value === undefined) return undefined;
  if (value === null) return problem(`nil pointer evaluating interface {}.${name}`);
  const method = methodOf(value, name);
  if (method !== undefined) return method(args, problem);
  switch (kindOf(value)) {
    case "struct": {
      const { fields, type } = value as GoStruct;
      if (!Object.hasOwn(fields, name)) return problem(`can't evaluate field ${name} in type ${type}`);
      if (args.length > 0) problem(`${name} has arguments but cannot be invoked as function`);
      return fields[name];
    }
    case "map":
      if (args.length > 0) problem(`${name} is not a method but has arguments`);
      return Object.hasOwn(value as GoMap, name) ? (value as GoMap)[name] : undefined;
    default:
      return problem(`can't evaluate field ${name} in type ${typeName(value)}`);
  }
};

type Method = (args: readonly Value[], problem: Fail) => Value;

const bare =
  (name: string, make: () => Value): Method =>
  (args, problem) =>
    args.length > 0 ? problem(`wrong number of args for ${name}: want 0 got ${args.length}`) : make();

const methodOf = (value: Value, name: string): Method | undefined => {
  switch (kindOf(value)) {
    case "time":
      return timeMethod((value as GoTime).instant, name);
    case "named":
      return name === "String" ? bare(name, () => (value as GoNamed).text) : undefined;
    case "struct":
      return name === "String" ? bare(name, () => (value as GoStruct).text()) : undefined;
    case "number":
      return numberMethod(stringOf(value) ?? "", name);
    default:
      return undefined;
  }
};

const numberMethod = (text: string, name: string): Method | undefined => {
  switch (name) {
    case "String":
      return bare(name, () => text);
    case "Float64":
      return bare(name, () => float(Number(text)));
    case "Int64":
      return (args, problem) => {
        if (!/^-?\d{1,19}$/.test(text) || BigInt.asIntN(64, BigInt(text)) !== BigInt(text)) problem("invalid syntax");
        return bare(name, () => BigInt(text))(args, problem);
      };
    default:
      return undefined;
  }
};

const named = (type: string, n: number, text: string): GoNamed => ({ [go]: "named", type, n: BigInt(n), text });

const timeMethod = (instant: Instant, name: string): Method | undefined => {
  const c = civil(instant);
  const at = (unit: bigint, per: number): bigint =>
    BigInt(instant.seconds) * unit + BigInt(Math.floor(instant.nanos / per));
  const results: Record<string, () => Value> = {
    String: () => instantText(instant),
    Unix: () => BigInt(instant.seconds),
    UnixMilli: () => at(1000n, 1e6),
    UnixMicro: () => at(1_000_000n, 1e3),
    UnixNano: () => at(1_000_000_000n, 1),
    Year: () => BigInt(c.year),
    Month: () => named("time.Month", c.month, months[c.month - 1] ?? ""),
    Day: () => BigInt(c.day),
    Hour: () => BigInt(c.hour),
    Minute: () => BigInt(c.minute),
    Second: () => BigInt(c.second),
    Nanosecond: () => BigInt(instant.nanos),
    YearDay: () => BigInt(c.yearday),
    Weekday: () => named("time.Weekday", c.weekday, weekdays[c.weekday] ?? ""),
    UTC: () => ({ [go]: "time", instant: { ...instant, offset: 0 } }),
    Local: () => ({ [go]: "time", instant: { ...instant, offset: 0 } }),
    IsZero: () => instant.seconds === -62135596800 && instant.nanos === 0,
  };
  if (name === "Format") {
    return ([layout, ...more], problem) => {
      if (more.length > 0 || layout === undefined) problem(`wrong number of args for Format: want 1`);
      if (typeof layout !== "string") return problem(`wrong type for value; expected string; got ${typeName(layout)}`);
      return formatLayout(instant, layout);
    };
  }
  const result = Object.hasOwn(results, name) ? results[name] : undefined;
  return result && bare(name, result);
};
