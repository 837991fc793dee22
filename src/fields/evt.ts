import type { EngineEvent, Field, FieldResult } from "../sdk/catalog.ts";

export interface EvtFacts {
  /** Name of the plugin that stands behind the source: `k8saudit`. */
  readonly pluginName: string;
  /** Minutes that local time is ahead of UTC at a time in nanoseconds since the epoch. */
  readonly offsetMinutes: (ns: bigint) => number;
  /** Time of the first event of the capture; absent: of the first event that a relative time is asked of. */
  readonly startNs?: () => bigint | undefined;
}

const second = 1_000_000_000n;

/** `YYYY-MM-DD` and `HH:MM:SS` at an offset from UTC, and the nanoseconds as nine digits. */
const clock = (ns: bigint, offsetMinutes: number) => {
  const local = ns + BigInt(offsetMinutes) * 60n * second;
  const part = ((local % second) + second) % second;
  const iso = new Date(Number((local - part) / 1_000_000n)).toISOString();
  const cut = iso.indexOf("T");
  return { date: iso.slice(0, cut), time: iso.slice(cut + 1, cut + 9), ns: String(part).padStart(9, "0") };
};

/** The generic fields (`evt.*`) that events of a plugin have, and the former names of two (`jevt.time…`). */
export const evtFields = <E extends EngineEvent>(facts: EvtFacts): readonly Field<E>[] => {
  let first: bigint | undefined;
  const since = (event: E): bigint => {
    first ??= facts.startNs?.() ?? event.timeNs;
    return event.timeNs - first;
  };
  const local = (event: E) => clock(event.timeNs, facts.offsetMinutes(event.timeNs));
  const iso = (event: E) => {
    const utc = clock(event.timeNs, 0);
    return `${utc.date}T${utc.time}.${utc.ns}+0000`;
  };
  return [
    field("evt.num", "number", "Counter of the events of a source, from 1.", (e) => e.num),
    shownAsTime("evt.time", "Local time of the event with nanoseconds.", (e) => `${local(e).time}.${local(e).ns}`),
    shownAsTime("evt.time.s", "Local time of the event.", (e) => local(e).time),
    shownAsTime("evt.time.iso8601", "Time of the event, ISO 8601 with nanoseconds, in UTC.", iso),
    shownAsTime("evt.datetime", "Local date and time of the event with nanoseconds.", (e) => {
      const { date, time, ns } = local(e);
      return `${date} ${time}.${ns}`;
    }),
    shownAsTime("evt.datetime.s", "Local date and time of the event.", (e) => `${local(e).date} ${local(e).time}`),
    field("evt.rawtime", "abstime", "Time of the event in nanoseconds since the epoch.", (e) => e.timeNs),
    field("evt.rawtime.s", "abstime", "Seconds of evt.rawtime.", (e) => e.timeNs / second),
    padded(field("evt.rawtime.ns", "abstime", "Nanoseconds of evt.rawtime.", (e) => e.timeNs % second)),
    padded(field("evt.reltime", "reltime", "Nanoseconds since the first event.", since)),
    field("evt.reltime.s", "reltime", "Seconds of evt.reltime.", (e) => since(e) / second),
    padded(field("evt.reltime.ns", "reltime", "Nanoseconds of evt.reltime.", (e) => since(e) % second)),
    field("evt.pluginname", "string", "Name of the plugin that produced the event.", () => facts.pluginName),
    field("evt.plugininfo", "string", "The event as its source delivered it.", (e) => e.text),
    { ...field<E>("evt.source", "string", "Name of the event's source.", (e) => e.source), always: true },
    field("evt.is_async", "bool", "True for asynchronous events: never.", () => false),
    field("evt.asynctype", "string", "Type of an asynchronous event: never there.", () => undefined),
    field("evt.hostname", "string", "Empty for events that no host's kernel produced.", () => ""),
    shownAsTime("jevt.time", "Former name of evt.time.", (e) => `${local(e).time}.${local(e).ns}`),
    shownAsTime("jevt.time.iso8601", "Former name of evt.time.iso8601.", iso),
  ];
};

const field = <E extends EngineEvent>(
  name: string,
  type: Field<E>["type"],
  about: string,
  get: (event: E) => FieldResult,
): Field<E> => ({ name, type, list: false, about, get });

/** `output_fields` holds the nanoseconds in place of the text. */
const shownAsTime = <E extends EngineEvent>(name: string, about: string, get: (event: E) => string): Field<E> => ({
  ...field(name, "string", about, get),
  json: (event) => event.timeNs,
});

/** Output text shows at least nine digits. */
const padded = <E extends EngineEvent>(plain: Field<E>): Field<E> => ({
  ...plain,
  text: (event, arg) => String(plain.get(event, arg)).padStart(9, "0"),
});
