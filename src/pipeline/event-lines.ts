/** Audit events as the lane of events holds them: one a line, its columns parted by tabs, the JSON text last. */

import type { Codec } from "../queue/codec.ts";
import type { EventMeta, Incoming } from "../sdk/event.ts";

/** Before the number of a form that is not the first. No source is called so. */
const formMark = "@";

/**
 * One event as a line. Form 1: source, time (nanoseconds, may be empty), cluster (may be empty), text. Form 2 says that it is:
 * the mark and its number, then as form 1 with `meta` as JSON before the text. Each event has the oldest form that holds it,
 * for an older hub on the same Redis may read it.
 */
export const encodeEvent = (event: Incoming): string => {
  const { meta } = event;
  const first = `${event.source}\t${event.timeNs ?? ""}\t${oneColumn(event.cluster ?? "")}`;
  const text = onOneLine(event.text);
  if (meta === undefined || Object.keys(meta).length === 0) return `${first}\t${text}`;
  return `${formMark}2\t${first}\t${JSON.stringify(meta)}\t${text}`;
};

/** Throws when the line has a form that a newer hub wrote: its chunk waits for that one. */
export const decodeEvent = (line: string): Incoming => {
  if (!line.startsWith(formMark)) return readColumns(line, 0, false);
  const form = line.slice(formMark.length, line.indexOf("\t"));
  if (form !== "2") throw new Error(`form ${form.slice(0, 9)} of a stored event is not known here`);
  return readColumns(line, formMark.length + form.length + 1, true);
};

/** `from`: where the columns begin. */
const readColumns = (line: string, from: number, withMeta: boolean): Incoming => {
  let at = from;
  const next = (): string => {
    const end = line.indexOf("\t", at);
    const column = line.slice(at, end);
    at = end + 1;
    return column;
  };
  const [source, timeNs, cluster] = [next(), next(), next()];
  const meta: EventMeta | undefined = withMeta ? JSON.parse(next()) : undefined;
  return {
    source,
    text: line.slice(at),
    ...(timeNs && { timeNs }),
    ...(cluster && { cluster }),
    ...(meta && { meta }),
  };
};

/** A raw line break cannot stand inside a JSON string, so a blank in its place changes nothing. */
const onOneLine = (text: string): string => (/[\n\r]/.test(text) ? text.replace(/[\n\r]/g, " ") : text);
const oneColumn = (name: string): string => name.replace(/[\t\n\r]/g, " ");

/** Bodies of the lane of events: one a line. */
export const eventLines: Codec<readonly Incoming[]> = {
  encode: (events) => events.map(encodeEvent).join("\n"),
  decode: (body) => body.split("\n").map(decodeEvent),
};
