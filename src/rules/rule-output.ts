import type { AppendOutput, RuleConfig } from "./config.ts";
import type { RuleItem } from "./items.ts";
import { compileFormat, type Format } from "./output.ts";
import type { Warn } from "./read-exceptions.ts";
import type { BoundField, Slots } from "./slots.ts";

/** A rule's output and what `append_output` adds to it. */
export interface RuleOutput<E> {
  /** The format with what was appended. */
  readonly written: string;
  readonly format: Format<E>;
  /** Fields named in the output, by title, in order of first use. */
  readonly fields: readonly BoundField<E>[];
  /** `extra_fields`: a field's value, or a format's text. */
  readonly extra: ReadonlyMap<string, { readonly field: BoundField<E> } | { readonly format: Format<E> }>;
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
  const extra = new Map<string, { field: BoundField<E> } | { format: Format<E> }>();
  for (const entry of appended)
    for (const given of entry.extra_fields ?? [])
      if (typeof given === "string") extra.set(given, { field: rawField(given, slots) });
      else for (const [name, text] of Object.entries(given)) extra.set(name, { format: compileFormat(text, slots) });
  return { written, format, fields: boundOf(format, slots), extra };
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
