import type { Registry } from "prom-client";
import { type Alert, priorities, priorityLevel } from "../sdk/alert.ts";
import { createTally } from "./tally.ts";

export interface EventLabels {
  /** Names of output fields that become labels, as configured: `user.name`, `pod`. */
  readonly customfields: readonly string[];
  readonly templatedfields: readonly string[];
  readonly extralabels: readonly string[];
}

export interface EventSeries {
  /** Counts one valid alert. */
  count(alert: Alert): void;
  /** Configured names that are no label: malformed, or taken by a label of the family. */
  readonly refused: readonly string[];
}

const fixed = ["hostname", "rule", "priority", "priority_raw", "source", "k8s_ns_name", "k8s_pod_name"] as const;
const wellFormed = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const overflow = "overflow";
/** Of one label value, in UTF-16 units: the sender writes them, the hub keeps them. */
const longest = 256;

/**
 * falcosidekick's `falco_events_total`. Its label values come from the sender, so beyond `maxSeries` label sets an
 * alert counts in a series that keeps its priority and says `overflow` for the rest.
 */
export const createEventSeries = (registry: Registry, labels: EventLabels, maxSeries: number): EventSeries => {
  const { fields, names, refused } = extraLabels(labels);
  const events = createTally(registry, "falcosecurity_falcosidekick_falco_events_total", "Valid alerts received.", [
    ...fixed,
    ...names,
  ]);
  const overflowed = createTally(
    registry,
    "eyrie_events_series_overflow_total",
    "Alerts counted in the overflow series because falco_events_total has all the series it may have.",
    [],
  ).cell();
  const known = new Map<string, { add(n: number): void }>();

  return {
    refused,
    count: (alert) => {
      const values = valuesOf(alert, fields);
      const key = values.join("\u0000");
      let cell = known.get(key);
      if (!cell && known.size < maxSeries) {
        cell = events.cell(...values);
        known.set(key, cell);
      }
      if (!cell) {
        overflowed.add(1);
        cell = events.cell(...values.map((value, i) => (isPriority(i) ? value : overflow)));
      }
      cell.add(1);
    },
  };
};

const isPriority = (i: number): boolean => fixed[i] === "priority" || fixed[i] === "priority_raw";

/** Label values of a priority: its level and its name. */
const graded = new Map(priorities.map((p) => [p, [String(priorityLevel(p)), p.toLowerCase()] as const]));

const valuesOf = (alert: Alert, fields: readonly string[]): string[] => {
  const [level, name] = graded.get(alert.priority) ?? ["0", ""];
  const values = [
    bounded(alert.hostname || "unknown"),
    bounded(alert.rule),
    level,
    name,
    bounded(alert.source),
    textField(alert, "k8s.ns.name"),
    textField(alert, "k8s.pod.name"),
  ];
  for (const field of fields) values.push(textField(alert, field));
  return values;
};

const textField = (alert: Alert, name: string): string => {
  const value = alert.output_fields[name];
  return typeof value === "string" ? bounded(value) : "";
};

const bounded = (text: string): string => (text.length <= longest ? text : text.slice(0, longest).toWellFormed());

const extraLabels = (labels: EventLabels) => {
  const byLabel = new Map<string, string>();
  const refused: string[] = [];
  for (const field of [...labels.customfields, ...labels.templatedfields, ...labels.extralabels]) {
    const label = field.replaceAll(".", "_");
    if (byLabel.get(label) === field) continue;
    if (!wellFormed.test(label) || byLabel.has(label) || (fixed as readonly string[]).includes(label)) {
      refused.push(field);
    } else {
      byLabel.set(label, field);
    }
  }
  return { names: [...byLabel.keys()], fields: [...byLabel.values()], refused };
};
