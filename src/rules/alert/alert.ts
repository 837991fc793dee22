import { type Alert, type FieldValue, numberFromText } from "../../sdk/alert.ts";
import type { FieldResult } from "../../sdk/catalog.ts";
import type { CompiledRule } from "../compile.ts";
import type { RuleConfig } from "../file/config.ts";
import { type AlertFacts, dateTime, stamp, valuesOf } from "./alert-text.ts";

/** A match as the alert that the hub delivers: what Falco would have sent as JSON, read back. */
export const formatAlert = (
  rule: CompiledRule<unknown>,
  event: unknown,
  facts: AlertFacts,
  config: RuleConfig,
  uuid: string,
): Alert => {
  const { item } = rule;
  const values = valuesOf(rule, event);
  const output_fields: Record<string, FieldValue> = Object.create(null);
  for (const { name, read } of rule.output.columns) output_fields[name] = fieldValue(read(event, values, facts.timeNs));
  return Object.freeze({
    uuid,
    time: `${dateTime(facts.timeNs).replace(/\.?0+$/, "")}Z`,
    rule: item.name,
    priority: item.priority,
    source: item.source,
    output: `${stamp(facts, config.time_format_iso_8601)}: ${item.priority} ${rule.output.format.render(event, values)}`,
    ...(facts.hostname !== "" && { hostname: facts.hostname }),
    tags: item.tags,
    output_fields: Object.freeze(output_fields),
    added: [],
  });
};

const fieldValue = (value: FieldResult): FieldValue => {
  if (value === undefined) return null;
  return typeof value === "bigint" ? numberFromText(String(value)) : value;
};
