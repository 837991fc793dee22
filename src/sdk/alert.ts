/** The alert as every output sees it. Shape and order of keys follow falcosidekick's raw event (reference: falcosidekick 2.34, §1). */
import { goJson } from "../json/go.ts";
import { isRawNumber, type RawNumber } from "../json/verbatim.ts";

export { goJson } from "../json/go.ts";
export { isRawNumber, numberFromText, numberText, type RawNumber } from "../json/verbatim.ts";

/** Falco's eight priorities, least severe first, as falcosidekick spells them. */
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

/** A value of `output_fields`: what JSON holds. A number that a double cannot carry as it was written is a RawNumber. */
export type FieldValue =
  | string
  | number
  | boolean
  | null
  | RawNumber
  | readonly FieldValue[]
  | { readonly [key: string]: FieldValue };

/** One Falco alert as the hub took it: frozen, never changed. An output that wants another shape builds one. */
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

/** The alerts of one request: never none. */
export type Alerts = readonly [Alert, ...Alert[]];

/** Debug 1 … Emergency 8. */
export const priorityLevel = (priority: Priority): number => priorities.indexOf(priority) + 1;

const byName = new Map<string, Priority>([
  ...priorities.map((p) => [p.toLowerCase(), p] as const),
  ["info", "Informational"],
]);

/** The canonical priority for a name in any case (`info` included), or undefined. */
export const parsePriority = (name: string): Priority | undefined => byName.get(name.toLowerCase());

/** True for numbers in both spellings (double, verbatim literal). */
export const isNumber = (value: FieldValue | undefined): value is number | RawNumber =>
  typeof value === "number" || isRawNumber(value);

/** The raw event's text on the alert itself, where freezing does not reach: a WeakMap costs every collection of garbage (bench/README.md, `reading alone`). */
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
