import { createHash } from "node:crypto";
import { type CompiledRule, formatAlert, type RuleConfig } from "../../rules/index.ts";
import type { Alert } from "../../sdk/alert.ts";
import type { JsonEvent } from "../../sdk/json-event.ts";
import { type AlertSettings, dressAlert } from "../alert-in.ts";
import { eventIdentity } from "./event-identity.ts";
import type { EventRules } from "./event-rules.ts";

/**
 * The alerts of an event, one for each rule that it matched. The same event gives the same ids again, in whichever chunk and
 * hub. Throws where a value of the event cannot be written; the alerts before that one are good.
 */
export function* formatMatches(
  event: JsonEvent,
  matched: readonly CompiledRule<unknown>[],
  rules: Pick<EventRules, "set" | "facts">,
  settings: AlertSettings,
): Generator<Alert, void> {
  const { config } = rules.set;
  const identity = eventIdentity(event);
  const facts = rules.facts(event);
  for (const rule of matched) {
    const uuid = derivedUuid(`${identity}\n${rule.item.name}`);
    yield dressAlert(withoutLeftOut(formatAlert(rule, event, facts, config, uuid), config), settings);
  }
}

/** With `json_output`, `json_include_*` switched off leaves the property out of what is sent, as in Falco. */
const withoutLeftOut = (alert: Alert, config: RuleConfig): Alert => {
  const {
    json_include_output_property: output,
    json_include_output_fields_property: fields,
    json_include_tags_property: tags,
  } = config;
  if (!config.json_output || (output && fields && tags)) return alert;
  return Object.freeze({
    ...alert,
    ...(!output && { output: "" }),
    ...(!fields && { output_fields: noFields }),
    ...(!tags && { tags: [] }),
  });
};

const noFields: Alert["output_fields"] = Object.freeze(Object.create(null));

/** A UUID (version 8) that only depends on the text. */
const derivedUuid = (text: string): string => {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
