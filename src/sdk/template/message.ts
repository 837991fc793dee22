import { type Alert, priorityLevel, rawEvent } from "../alert.ts";
import { parseTime } from "../rfc3339.ts";
import { TemplateError } from "./error.ts";
import { compileTemplate, type Template } from "./template.ts";
import { type GoMap, go, strings, type Value } from "./value.ts";

/** The alert as falcosidekick's message templates see it: `.Rule`, `.Priority`, `.Time`, `.OutputFields` and so on. */
export const messageData = (alert: Alert): Value => ({
  [go]: "struct",
  type: "types.FalcoPayload",
  fields: {
    UUID: alert.uuid,
    Output: alert.output,
    Priority: {
      [go]: "named",
      type: "types.PriorityType",
      n: BigInt(priorityLevel(alert.priority)),
      text: alert.priority,
    },
    Rule: alert.rule,
    Time: { [go]: "time", instant: parseTime(alert.time) ?? { seconds: 0, nanos: 0, offset: 0 } },
    OutputFields: alert.output_fields as GoMap,
    Source: alert.source,
    Tags: strings(alert.tags),
    Hostname: alert.hostname ?? "",
  },
  text: () => rawEvent(alert),
});

/** Throws TemplateError for text that is no template. The result throws TemplateError where it fails on an alert. */
export const compileMessage = (text: string, extra: readonly "json"[] = []): ((alert: Alert) => string) => {
  const template = compileTemplate(text, extra);
  return (alert) => template.run(messageData(alert));
};

/** As compileMessage, with `json` beside Go's functions: values of any content keep a body valid JSON. */
export const compileBody = (text: string): ((alert: Alert) => string) => compileMessage(text, ["json"]);

/** What is wrong with a template, for an output's `check` or `warn`; `compile` defaults to that of messages. */
export const templateFaults = (key: string, text: string, compile: (text: string) => unknown = compileTemplate) => {
  try {
    if (text) compile(text);
    return [];
  } catch (error) {
    if (error instanceof TemplateError) return [`${key}: ${error.message}`];
    throw error;
  }
};

const compiled = new Map<string, Template | undefined>();

/**
 * The message of an alert, whose own texts go through `inert`; empty when the text is no template or fails on this alert.
 * Compiles a text once.
 */
export const renderMessage = (text: string, alert: Alert, inert?: (text: string) => string): string => {
  try {
    let template = compiled.get(text);
    if (template === undefined && !compiled.has(text)) {
      if (compiled.size >= 100) compiled.clear();
      compiled.set(text, undefined);
      template = compileTemplate(text);
      compiled.set(text, template);
    }
    return template?.run(messageData(alert), inert) ?? "";
  } catch (error) {
    if (error instanceof TemplateError) return "";
    throw error;
  }
};
