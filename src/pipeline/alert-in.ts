/** From the text of a request to alerts: the hub's own fields and tags are on them, and they never change again. */

import { jsonValues, oneJsonValue } from "../json/parse.ts";
import { type Alert, type FieldValue, rawEvent } from "../sdk/alert.ts";
import { sortedBytewise } from "../sdk/bytewise.ts";
import { alertTooLarge, type Cause, type Excess, excessOf, isTooLarge, tooManyRefused } from "./alert-limits.ts";
import type { AlertSettings } from "./alert-settings.ts";
import { type PostedAlert, readPosted } from "./alert-shape.ts";
import { orderFields } from "./field-order.ts";
import { mendSurrogates } from "./mend-surrogates.ts";
import { formatOutput } from "./output-format.ts";

export { type AlertSettings, makeAlertSettings } from "./alert-settings.ts";

export interface Rejection {
  /** Place among the values of the body (items of a list count one each), from 0. */
  readonly index: number;
  /** Never quotes the body. */
  readonly reason: string;
}

export interface DecodedAlerts {
  readonly alerts: readonly Alert[];
  /** At most a hundred are named; one more entry counts the rest. */
  readonly rejected: readonly Rejection[];
  /** All that were refused, by cause. */
  readonly refused: Readonly<Partial<Record<Cause, number>>>;
}

const namedRejections = 100;

/**
 * The alerts of a body: one JSON object, several after each other, one a line, or lists of them. Good ones are kept
 * whatever stands beside them. Never throws.
 */
export const decodeAlerts = (text: string, settings: AlertSettings): DecodedAlerts => {
  const { limits } = settings;
  const alerts: Alert[] = [];
  const rejected: Rejection[] = [];
  const refused: Partial<Record<Cause, number>> = {};
  let count = 0;
  let index = 0;
  const refuse = ({ cause, reason }: Excess): void => {
    refused[cause] = (refused[cause] ?? 0) + 1;
    if (count++ < namedRejections) rejected.push({ index, reason });
  };
  const keep = (alert: Alert | Excess) => {
    if ("cause" in alert) refuse(alert);
    else alerts.push(alert);
    index++;
  };
  const read = (value: unknown) => {
    if (!Array.isArray(value)) keep(toAlert(value, settings));
    else if (value.length === 0) keep(invalid("the list is empty"));
    else for (const item of value) keep(toAlert(item, settings));
  };
  const mended = mendSurrogates(text);
  const only = oneJsonValue(mended);
  if (only !== undefined) read(only);
  else
    for (const part of jsonValues(mended)) {
      if (limits && count >= limits.maxrefused) {
        keep(tooManyRefused(limits));
        break;
      }
      "fault" in part ? keep(invalid(part.fault)) : read(part.value);
    }
  if (index === 0) keep(invalid("the body is empty"));
  const unnamed = count - namedRejections;
  if (unnamed > 0) {
    const stopped = limits && refused.too_many_refused ? `; ${tooManyRefused(limits).reason}` : "";
    rejected.push({ index, reason: `${unnamed} more were refused${stopped}` });
  }
  return { alerts, rejected, refused };
};

const invalid = (reason: string): Excess => ({ cause: "invalid", reason });

const nothing: readonly string[] = Object.freeze([]);
const uuidText = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

const toAlert = (value: unknown, settings: AlertSettings): Alert | Excess => {
  const { limits } = settings;
  const posted = readPosted(value);
  if (typeof posted === "string") return invalid(posted);
  const excess = limits && excessOf(posted, limits);
  if (excess) return excess;
  if (!uuidText.test(posted.uuid)) posted.uuid = settings.uuid();
  posted.source = posted.rule === "Test rule" ? "internal" : posted.source || "syscalls";
  const alert = dressed(posted, settings);
  return limits && isTooLarge(rawEvent(alert), limits) ? alertTooLarge(limits) : alert;
};

/** An alert of the hub's own rules with the hub's fields and tags on it, like one that was posted. */
export const dressAlert = (alert: Alert, settings: AlertSettings): Alert => {
  const { customfields, templatedfields, customtags, bracketreplacer, outputfieldformat } = settings;
  const wanted = customfields.length + templatedfields.length + customtags.length;
  if (wanted === 0 && bracketreplacer === "" && outputfieldformat === "") return alert;
  return dressed({ ...alert, hostname: alert.hostname ?? "", output_fields: { ...alert.output_fields } }, settings);
};

const dressed = (posted: PostedAlert, settings: AlertSettings): Alert => {
  const { customtags } = settings;
  const tags = sortedBytewise(customtags.length === 0 ? posted.tags : [...posted.tags, ...customtags]);
  const { output, added } = addFields(posted, tags, settings);
  return Object.freeze({
    uuid: posted.uuid,
    time: posted.time,
    rule: posted.rule,
    priority: posted.priority,
    source: posted.source,
    output,
    ...(posted.hostname !== "" && { hostname: posted.hostname }),
    tags: Object.freeze(tags),
    output_fields: orderFields(posted.output_fields),
    added,
  });
};

interface Dressed {
  readonly output: string;
  readonly added: readonly string[];
}

/** Writes the hub's fields into the posted ones, renames, and rewrites the output: falcosidekick's order of steps. */
const addFields = (posted: PostedAlert, tags: readonly string[], settings: AlertSettings): Dressed => {
  const { customfields, templatedfields, bracketreplacer, outputfieldformat } = settings;
  let added = nothing;
  let templated: readonly (readonly [string, string])[] = [];
  if (customfields.length > 0 || templatedfields.length > 0) {
    const fields: Record<string, FieldValue> = Object.assign(Object.create(null), posted.output_fields);
    posted.output_fields = fields;
    for (const [name, text] of customfields) fields[name] = text;
    templated = runTemplates(fields, settings);
    added = [...new Set([...customfields, ...templated].map(([name]) => withoutBrackets(name, bracketreplacer)))];
  }
  if (bracketreplacer !== "") posted.output_fields = renameAll(posted.output_fields, bracketreplacer);
  const { output, priority } = posted;
  const parts = { output, priority, tags, custom: customfields, templated };
  return {
    output: outputfieldformat === "" ? output : formatOutput(outputfieldformat, parts),
    added: Object.freeze(added),
  };
};

/** A template that fails on these fields leaves its field out. Later ones see what earlier ones wrote. */
const runTemplates = (fields: Record<string, FieldValue>, settings: AlertSettings): [string, string][] => {
  const results: [string, string][] = [];
  for (const [name, template] of settings.templatedfields) {
    try {
      const text = template.run(fields);
      fields[name] = text;
      results.push([name, text]);
    } catch {
      // Such as a field of nothing: falcosidekick leaves the field out too.
    }
  }
  return results;
};

const withoutBrackets = (name: string, replacer: string): string =>
  replacer !== "" && name.includes("[") ? name.replaceAll("]", "").replaceAll("[", () => replacer) : name;

const renameAll = (fields: Record<string, FieldValue>, replacer: string): Record<string, FieldValue> => {
  const names = Object.keys(fields);
  if (!names.some((name) => name.includes("["))) return fields;
  const out: Record<string, FieldValue> = Object.create(null);
  for (const name of names) out[withoutBrackets(name, replacer)] = fields[name] as FieldValue;
  return out;
};
