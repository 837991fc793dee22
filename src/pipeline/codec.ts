/** An alert as one line of text: what lanes and spills hold, and what a reader of either finds. */

import { JsonError, parseJson } from "../json/parse.ts";
import type { Codec } from "../queue/codec.ts";
import { type Alert, type FieldValue, goJson, type Priority, rawEvent, rememberText } from "../sdk/alert.ts";
import { isOwnTest, markOwnTest } from "./own-test.ts";

/**
 * The raw event; where the hub added fields, their names as a JSON array and a blank come before it, and before all that a
 * mark where the hub made the alert to try its outputs. No line break.
 */
export const encodeAlert = (alert: Alert): string => {
  const event = rawEvent(alert);
  const mark = isOwnTest(alert) ? ownTestMark : "";
  // With `{` escaped in names, the first `{` of a line starts the event.
  return `${mark}${alert.added.length === 0 ? event : `${goJson(alert.added).replaceAll("{", "\\u007b")} ${event}`}`;
};

const ownTestMark = "!";

interface Stored extends Partial<Omit<Alert, "output_fields">> {
  readonly output_fields?: Record<string, FieldValue>;
}

const none: readonly string[] = Object.freeze([]);

/** The alert of a line that `encodeAlert` wrote, frozen. Throws JsonError when the line is damaged. */
export const decodeAlert = (stored: string): Alert => {
  const isOwn = stored.startsWith(ownTestMark);
  const line = isOwn ? stored.slice(ownTestMark.length) : stored;
  const start = line.startsWith("[") ? line.indexOf("{") : 0;
  const text = start > 0 ? line.slice(start) : line;
  const event = parseJson(text) as Stored | null;
  if (typeof event?.uuid !== "string" || typeof event.output_fields !== "object") {
    throw new JsonError("the line holds no alert");
  }
  const alert: Alert = {
    uuid: event.uuid,
    time: event.time ?? "",
    rule: event.rule ?? "",
    priority: (event.priority ?? "Debug") as Priority,
    source: event.source ?? "",
    output: event.output ?? "",
    ...(event.hostname !== undefined && { hostname: event.hostname }),
    tags: event.tags === undefined ? none : Object.freeze(event.tags),
    output_fields: Object.freeze(Object.setPrototypeOf(event.output_fields ?? {}, null)),
    added: start > 0 ? (Object.freeze(JSON.parse(line.slice(0, start))) as string[]) : none,
  };
  rememberText(alert, text);
  if (isOwn) markOwnTest([alert]);
  return Object.freeze(alert);
};

/** Bodies of the lanes that hold alerts: one a line. */
export const alertLines: Codec<readonly Alert[]> = {
  encode: (alerts) => alerts.map(encodeAlert).join("\n"),
  decode: (body) => (body === "" ? [] : body.split("\n").map(decodeAlert)),
};
