import type { Codec } from "../queue/codec.ts";
import type { Incoming } from "../sdk/event.ts";

/** One audit event as one line of a chunk: source, time (nanoseconds, may be empty), cluster (may be empty), JSON text. */
export const encodeEvent = (event: Incoming): string =>
  `${event.source}\t${event.timeNs ?? ""}\t${clean(event.cluster ?? "")}\t${oneLine(event.text)}`;

export const decodeEvent = (line: string): Incoming => {
  const a = line.indexOf("\t");
  const b = line.indexOf("\t", a + 1);
  const c = line.indexOf("\t", b + 1);
  const timeNs = line.slice(a + 1, b);
  const cluster = line.slice(b + 1, c);
  return {
    source: line.slice(0, a),
    text: line.slice(c + 1),
    ...(timeNs && { timeNs }),
    ...(cluster && { cluster }),
  };
};

/** A raw line break cannot stand inside a JSON string, so a blank in its place changes nothing. */
const oneLine = (text: string): string => (/[\n\r]/.test(text) ? text.replace(/[\n\r]/g, " ") : text);
const clean = (name: string): string => name.replace(/[\t\n\r]/g, " ");

/** Bodies of the lane of events: one a line. */
export const eventLines: Codec<readonly Incoming[]> = {
  encode: (events) => events.map(encodeEvent).join("\n"),
  decode: (body) => body.split("\n").map(decodeEvent),
};
