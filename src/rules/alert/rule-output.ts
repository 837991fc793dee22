import { compareBytewise } from "../../sdk/bytewise.ts";
import type { FieldResult } from "../../sdk/catalog.ts";
import type { BoundField, Slots } from "../bind/slots.ts";
import type { AppendOutput, RuleConfig } from "../file/config.ts";
import type { RuleItem } from "../file/items.ts";
import type { Warn } from "../file/read-exceptions.ts";
import { compileFormat, type Format } from "./output.ts";

/** A rule's output and what `append_output` adds to it. */
export interface RuleOutput<E> {
  /** The format with what was appended. */
  readonly written: string;
  readonly format: Format<E>;
  /** Fields named in the output, by title, in order of first use. */
  readonly fields: readonly BoundField<E>[];
  /** `output_fields` by name: the time, what the output names, and what `append_output` adds or puts in its place. */
  readonly columns: readonly Column<E>[];
}

/** One of `output_fields`. `values` are those of the output's fields, `timeNs` is the event's time. */
export interface Column<E> {
  readonly name: string;
  /** The name as JSON, with its colon. */
  readonly key: string;
  readonly read: (event: E, values: readonly FieldResult[], timeNs: bigint) => FieldResult;
}

/** Throws FormatFault when a format does not compile. */
export const outputOf = <E>(item: RuleItem, slots: Slots<E>, config: RuleConfig, warn: Warn): RuleOutput<E> => {
  const appended = config.append_output.filter((entry) => applies(entry, item));
  const more = appended.flatMap((entry) => [
    ...(entry.extra_output ? [entry.extra_output] : []),
    ...(entry.suggested_output ? suggested(config) : []),
  ]);
  let written = [item.output, ...more].join(" ");
  if (written.includes("%container.info")) {
    warn(
      "LOAD_DEPRECATED_ITEM",
      "%container.info is deprecated and no more useful, and will be dropped by Falco 1.0.0. The container plugin will automatically add required fields to the output message.",
      item.context,
    );
    written = written.replaceAll("%container.info", "");
  }
  const format = compileFormat(written, slots);
  warnDirection(written, item, warn);
  const fields = boundOf(format, slots);
  const reads = new Map<string, Column<E>["read"]>();
  reads.set(config.time_format_iso_8601 ? "evt.time.iso8601" : "evt.time", (_event, _values, timeNs) => timeNs);
  fields.forEach((bound, n) => {
    reads.set(bound.title, bound.field.json === undefined ? (_event, values) => values[n] : jsonRead(bound));
  });
  for (const entry of appended)
    for (const given of entry.extra_fields ?? [])
      if (typeof given === "string") reads.set(given, jsonRead(rawField(given, slots)));
      else
        for (const [name, text] of Object.entries(given)) {
          const { render } = compileFormat(text, slots);
          reads.set(name, (event) => render(event));
        }
  const columns = [...reads]
    .sort(([a], [b]) => compareBytewise(a, b))
    .map(([name, read]) => ({ name, key: `${JSON.stringify(name.toWellFormed())}:`, read }));
  return { written, format, fields, columns };
};

const jsonRead = <E>({ field, arg, read }: BoundField<E>): ((event: E) => FieldResult) => {
  const json = field.json?.bind(field);
  return json === undefined ? read : (event) => json(event, arg);
};

const applies = (entry: AppendOutput, item: RuleItem): boolean => {
  const { rule, source, tags } = entry.match ?? {};
  return (
    (!rule || rule === item.name) &&
    (!source || source === item.source) &&
    (tags ?? []).every((tag) => item.tags.includes(tag))
  );
};

const suggested = (config: RuleConfig): readonly string[] =>
  Object.keys(config.static_fields).map((name) => `static_${name}=%static.${name}`);

const boundOf = <E>(format: Format<E>, slots: Slots<E>): readonly BoundField<E>[] =>
  format.fields.flatMap((slot) => slots.bound[slot] ?? []);

const rawField = <E>(name: string, slots: Slots<E>): BoundField<E> => {
  const [field] = boundOf(compileFormat(`%${name}`, slots), slots);
  if (field === undefined) throw new RangeError("format without field");
  return field;
};

const warnDirection = (written: string, item: RuleItem, warn: Warn): void => {
  if (written.includes("evt.dir"))
    warn(
      "LOAD_DEPRECATED_ITEM",
      "usage of deprecated field 'evt.dir' has been detected in the rule output",
      item.outputContext,
      "evt.dir",
    );
};
