/** The alert as every output sees it. Shape and order of keys follow falcosidekick's raw event (reference: falcosidekick 2.34, §1). */
import { stringifyDeep } from "./json-deep.ts";

export const priorities = [
  "Debug",
  "Informational",
  "Notice",
  "Warning",
  "Error",
  "Critical",
  "Alert",
  "Emergency",
] as const;

/** Canonical name; the numeric level is the index in `priorities` plus one (Debug 1 … Emergency 8). */
export type Priority = (typeof priorities)[number];

/** A JSON number whose text a double cannot carry (`1736936430123456789`, `1.50`): kept as it was written, printed by JSON.stringify verbatim. */
export interface RawNumber {
  readonly rawJSON: string;
}

export type FieldValue =
  | string
  | number
  | boolean
  | null
  | RawNumber
  | readonly FieldValue[]
  | { readonly [key: string]: FieldValue };

export interface Alert {
  /** UUID: the sender's when valid, else made at intake. */
  readonly uuid: string;
  /** RFC 3339, the sender's offset kept, trailing zeros of the fraction removed. */
  readonly time: string;
  readonly rule: string;
  readonly priority: Priority;
  readonly source: string;
  readonly output: string;
  readonly hostname?: string;
  /** Sorted bytewise. */
  readonly tags: readonly string[];
  /** Null-prototype object, keys sorted bytewise. */
  readonly output_fields: Readonly<Record<string, FieldValue>>;
  /** Names in output_fields that the hub added (customfields, templatedfields). */
  readonly added: readonly string[];
}

export type Alerts = readonly [Alert, ...Alert[]];

/** Debug 1 … Emergency 8. */
export const priorityLevel = (priority: Priority): number => priorities.indexOf(priority) + 1;

const byName = new Map<string, Priority>([
  ...priorities.map((p) => [p.toLowerCase(), p] as const),
  ["info", "Informational"],
]);

/** The canonical priority for a name in any case (`info` included), or undefined. */
export const parsePriority = (name: string): Priority | undefined => byName.get(name.toLowerCase());

const { isRawJSON, rawJSON } = JSON as unknown as {
  isRawJSON(value: unknown): value is RawNumber;
  rawJSON(text: string): RawNumber;
};

/** True for numbers in both spellings (double, verbatim literal). */
export const isNumber = (value: FieldValue | undefined): value is number | RawNumber =>
  typeof value === "number" || isRawNumber(value);

export const isRawNumber = (value: unknown): value is RawNumber => isRawJSON(value);

/** A number literal as a value: a double when its text survives the round trip, else the verbatim literal. */
export const numberFromText = (text: string): number | RawNumber => {
  const n = Number(text);
  return String(n) === text ? n : rawJSON(text);
};

/** The number as it was written. */
export const numberText = (value: number | RawNumber): string =>
  typeof value === "number" ? String(value) : value.rawJSON;

const unsafe = /[<>&\u2028\u2029]/g;
const escapes: Record<string, string> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/**
 * JSON text the way Go's encoder writes it (`<`, `>`, `&`, U+2028/9 escaped, lone surrogates as U+FFFD): visible where
 * JSON travels as text.
 */
export const goJson = (value: unknown): string => {
  const text = stringify(value);
  const escaped = text.search(unsafe) < 0 ? text : text.replaceAll(unsafe, (c) => escapes[c] ?? c);
  // JSON.stringify writes a lone surrogate as an escape; nothing else makes `\ud` but a backslash before `ud`.
  return escaped.includes("\\ud")
    ? escaped.replaceAll(/\\(?:(ud[89a-f][0-9a-f]{2})|.)/g, (kept: string, lone?: string) => (lone ? "\ufffd" : kept))
    : escaped;
};

const stringify = (value: unknown): string => {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return stringifyDeep(value);
    throw error;
  }
};

/** The raw event's text on the alert itself, where freezing does not reach: a WeakMap costs every collection of garbage. */
class Texts extends (function same(alert: Alert) {
  return alert;
} as unknown as new (
  alert: Alert,
) => Alert) {
  #text: string;
  constructor(alert: Alert, text: string) {
    super(alert);
    this.#text = text;
  }
  static of(alert: Alert): string | undefined {
    return #text in alert ? (alert as Texts).#text : undefined;
  }
  static set(alert: Alert, text: string): void {
    if (#text in alert) (alert as Texts).#text = text;
    else new Texts(alert, text);
  }
}

/**
 * The raw event: compact JSON in falcosidekick's key order (uuid, output, priority, rule, time, output_fields, source,
 * tags when any, hostname when any), no trailing newline. Computed once per alert.
 */
export const rawEvent = (alert: Alert): string => {
  let text = Texts.of(alert);
  if (text === undefined) {
    text = goJson(rawEventObject(alert));
    Texts.set(alert, text);
  }
  return text;
};

/** Remembers the raw event text that an alert was read from, so that it is not written anew. */
export const rememberText = (alert: Alert, text: string): void => {
  Texts.set(alert, text);
};

/** The raw event as an object for outputs that add keys to it. */
export const rawEventObject = (alert: Alert): Record<string, unknown> => {
  const { uuid, output, priority, rule, time, output_fields, source, tags, hostname } = alert;
  const event: Record<string, unknown> = { uuid, output, priority, rule, time, output_fields, source };
  if (tags.length > 0) event.tags = tags;
  if (hostname) event.hostname = hostname;
  return event;
};
