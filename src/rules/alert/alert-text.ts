import type { FieldResult } from "../../sdk/catalog.ts";
import { printable, printableJson } from "../../sdk/printable.ts";
import type { CompiledRule } from "../compile.ts";
import type { RuleConfig } from "../file/config.ts";
import type { RuleItem } from "../file/items.ts";

export interface AlertFacts {
  /** Event time in nanoseconds since the epoch. */
  readonly timeNs: bigint;
  /** Minutes that local time is ahead of UTC. */
  readonly offsetMinutes: number;
  readonly hostname: string;
}

const second = 1_000_000_000n;

/** `HH:MM:SS.nnnnnnnnn` local, or ISO 8601 in UTC with `+0000`. */
export const stamp = (facts: AlertFacts, iso: boolean): string => {
  const ns = iso ? facts.timeNs : facts.timeNs + BigInt(facts.offsetMinutes) * 60n * second;
  const text = dateTime(ns);
  return iso ? `${text}+0000` : text.slice(text.indexOf("T") + 1);
};

/** `YYYY-MM-DDTHH:MM:SS.nnnnnnnnn` of nanoseconds since the epoch; times before it wrap around, as in 64 unsigned bits. */
export const dateTime = (signed: bigint): string => {
  const ns = BigInt.asUintN(64, signed);
  return `${wholeSecond(Number(ns / second))}.${String(Number(ns % second)).padStart(9, "0")}`;
};

let latest = { seconds: 0, text: "1970-01-01T00:00:00" };

/** Alerts of one second come together, so the latest is remembered. */
const wholeSecond = (seconds: number): string => {
  if (seconds !== latest.seconds) {
    const text = new Date(seconds * 1000).toISOString();
    latest = { seconds, text: text.slice(0, text.indexOf(".")) };
  }
  return latest.text;
};

/** The values of the fields that the rule's output names, each read once. */
export const valuesOf = (rule: CompiledRule<unknown>, event: unknown): readonly FieldResult[] =>
  rule.output.fields.map((bound) => bound.read(event));

/** One line for people: the whole is escaped as JSON text is. No newline at the end. */
export const textAlert = (
  rule: CompiledRule<unknown>,
  event: unknown,
  facts: AlertFacts,
  config: RuleConfig,
): string => {
  const line = `${stamp(facts, config.time_format_iso_8601)}: ${rule.item.priority} ${rule.output.format.render(event)}`;
  return printable(JSON.stringify(line.toWellFormed()).slice(1, -1));
};

/** One line of JSON, keys sorted, as `json_output` prints it. No newline at the end. */
export const jsonAlert = (
  rule: CompiledRule<unknown>,
  event: unknown,
  facts: AlertFacts,
  config: RuleConfig,
): string => {
  const { item } = rule;
  const values = valuesOf(rule, event);
  const message = text(rule.output.format.render(event, values));
  const fixed = fixedOf(item);
  const parts = [`"hostname":${text(facts.hostname)}`];
  if (config.json_include_message_property) parts.push(`"message":${message}`);
  if (config.json_include_output_property)
    parts.push(`"output":"${stamp(facts, config.time_format_iso_8601)}: ${item.priority} ${message.slice(1)}`);
  if (config.json_include_output_fields_property)
    parts.push(
      `"output_fields":{${rule.output.columns
        .map(({ key, read }) => `${key}${jsonValue(read(event, values, facts.timeNs))}`)
        .join(",")}}`,
    );
  parts.push(fixed.names);
  if (config.json_include_tags_property) parts.push(fixed.tags);
  parts.push(`"time":"${dateTime(facts.timeNs)}Z"`);
  return printableJson(`{${parts.join(",")}}`);
};

/** What of an alert is the rule's own, as JSON. */
interface Fixed {
  readonly names: string;
  readonly tags: string;
}

const known = new WeakMap<RuleItem, Fixed>();

const fixedOf = (item: RuleItem): Fixed => {
  let fixed = known.get(item);
  if (fixed === undefined) {
    const { name, priority, source, tags } = item;
    fixed = {
      names: `"priority":${text(priority)},"rule":${text(name)},"source":${text(source)}`,
      tags: `"tags":[${tags.map(text).join(",")}]`,
    };
    known.set(item, fixed);
  }
  return fixed;
};

const text = (value: string): string => JSON.stringify(value.isWellFormed() ? value : value.toWellFormed());

const jsonValue = (value: FieldResult): string => {
  if (value === undefined) return "null";
  if (typeof value === "string") return text(value);
  if (typeof value === "object") return `[${value.map(text).join(",")}]`;
  return String(value);
};
