import { type Alert, priorityLevel } from "../../src/sdk/alert.ts";
import { goValue } from "../../src/sdk/field-text.ts";

/** Severity as syslog counts it: Emergency 0 … Debug 7. */
export const severityOf = (alert: Alert): number => 8 - priorityLevel(alert.priority);

const cefSeverities = [10, 9, 8, 7, 6, 4, 3, 0];

/** ArcSight's format as falcosidekick writes it, with what would break its grammar escaped. */
export const cefOf = (alert: Alert): string => {
  const fields = Object.entries(alert.output_fields).map(([name, value]) => `${name}:${goValue(value)}`);
  const extension: readonly (readonly [string, string | undefined])[] = [
    ["uuid", alert.uuid],
    ["start", alert.time.replace(/\.\d+/, "")],
    ["msg", alert.output],
    ["source", alert.source],
    ["hostname", alert.hostname || undefined],
    ["outputfields", fields.join(" ")],
    ["tags", alert.tags.length > 0 ? alert.tags.join(",") : undefined],
  ];
  const rule = alert.rule.replaceAll(/[\\|]/g, "\\$&").replaceAll(/[\r\n]+/g, " ");
  const head = `CEF:0|Falcosecurity|Falco|1.0|Falco Event|${rule}|${cefSeverities[severityOf(alert)]}|`;
  return (
    head + extension.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${escaped(value)}`])).join(" ")
  );
};

const escaped = (text: string): string =>
  text.replaceAll(/[\\=]/g, "\\$&").replaceAll("\r", "\\r").replaceAll("\n", "\\n");
