import { type Alert, priorities, priorityLevel } from "../sdk/alert.ts";
import { isList, listText } from "../sdk/field-text.ts";

export interface EventLabels {
  /** Names of output fields that become labels, as configured: `user.name`, `pod`. */
  readonly customfields: readonly string[];
  readonly templatedfields: readonly string[];
  readonly extralabels: readonly string[];
}

export interface SeriesLimits {
  /** Label sets. */
  readonly maxSeries: number;
  /** Of the lines of all of them. */
  readonly maxBytes: number;
  /** Of one label value, in UTF-16 units: the sender writes them, the hub keeps them. */
  readonly maxLabel: number;
}

export interface EventSeries {
  /** Counts one valid alert; false: it counted in the overflow series. */
  count(alert: Alert): boolean;
  /** The family as text, ready for the page. */
  expose(): string;
  /** Configured names that are no label: malformed, or taken by a label of the family. */
  readonly refused: readonly string[];
}

const family = "falcosecurity_falcosidekick_falco_events_total";
const fixed = ["hostname", "rule", "priority", "priority_raw", "source", "k8s_ns_name", "k8s_pod_name"] as const;
const wellFormed = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const overflow = "overflow";

/**
 * falcosidekick's `falco_events_total`. Its label values come from the sender, so beyond the limits an alert counts in a
 * series that keeps its priority and says `overflow` for the rest. Each series keeps its line but for the number: a page of
 * ten thousand is a matter of milliseconds.
 */
export const createEventSeries = (labels: EventLabels, limits: SeriesLimits): EventSeries => {
  const { fields, names, refused } = extraLabels(labels);
  const all = [...fixed, ...names];
  const series = new Map<string, { readonly start: string; total: number }>();
  let bytes = 0;

  const startOf = (values: readonly string[]): string =>
    `${family}{${all.map((name, i) => `${name}="${escapeLabel(values[i] as string)}"`).join(",")}} `;
  const add = (key: string, start: string): void => void series.set(key, { start, total: 1 });

  return {
    refused,
    count: (alert) => {
      const values = valuesOf(alert, fields, limits.maxLabel);
      const key = values.join("\u0000");
      const known = series.get(key);
      if (known) {
        known.total++;
        return true;
      }
      if (series.size < limits.maxSeries && bytes < limits.maxBytes) {
        const start = startOf(values);
        bytes += Buffer.byteLength(start);
        if (bytes <= limits.maxBytes) {
          add(key, start);
          return true;
        }
      }
      const rest = values.map((value, i) => (isPriority(i) ? value : overflow));
      // No sender's label set has this key: theirs hold a separator.
      const restKey = `${overflow} ${alert.priority}`;
      const over = series.get(restKey);
      if (over) over.total++;
      else add(restKey, startOf(rest));
      return false;
    },
    expose: () => {
      let text = `# HELP ${family} Valid alerts received.\n# TYPE ${family} counter\n`;
      for (const { start, total } of series.values()) text += `${start}${total}\n`;
      return text;
    },
  };
};

const escapeLabel = (value: string): string =>
  /[\\"\n]/.test(value) ? value.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`)) : value;

/** Output fields behind labels that are always there. */
const hasLabel: ReadonlySet<string> = new Set(["k8s.ns.name", "k8s.pod.name"]);

const isPriority = (i: number): boolean => fixed[i] === "priority" || fixed[i] === "priority_raw";

/** Label values of a priority: its level and its name. */
const graded = new Map(priorities.map((p) => [p, [String(priorityLevel(p)), p.toLowerCase()] as const]));

const valuesOf = (alert: Alert, fields: readonly string[], longest: number): string[] => {
  const [level, name] = graded.get(alert.priority) ?? ["0", ""];
  const bounded = (text: string): string => (text.length <= longest ? text : text.slice(0, longest).toWellFormed());
  const textField = (field: string): string => {
    const value = alert.output_fields[field];
    if (isList(value)) return bounded(listText(value.slice(0, longest), ","));
    return typeof value === "string" ? bounded(value) : "";
  };
  const values = [
    bounded(alert.hostname || "unknown"),
    bounded(alert.rule),
    level,
    name,
    bounded(alert.source),
    textField("k8s.ns.name") || textField("ka.target.namespace"),
    textField("k8s.pod.name") || auditPod(alert, textField),
  ];
  for (const field of fields) values.push(textField(field));
  return values;
};

/** The pod that an audit event is about: named as the target of a request for pods, or as the pod that came of it. */
const auditPod = ({ output_fields }: Alert, textField: (field: string) => string): string => {
  const created = textField("ka.target.pod.name");
  if (created !== "") return created;
  const resource = output_fields["ka.target.resource"];
  const isPod = resource === "pods" || (resource === undefined && showsPod(output_fields));
  return isPod ? textField("ka.target.name") || textField("ka.obj.name") : "";
};

/** Rules that say nothing of the resource show fields of a pod, if it is one. */
const showsPod = (fields: Alert["output_fields"]): boolean => {
  for (const name in fields) if (name.startsWith("ka.req.pod.") && fields[name] !== null) return true;
  return false;
};

/** The labels that a configuration adds, and the fields that cannot be one. A field that has a label anyway adds none. */
export const extraLabels = (labels: EventLabels) => {
  const byLabel = new Map<string, string>();
  const refused: string[] = [];
  for (const field of [...labels.customfields, ...labels.templatedfields, ...labels.extralabels]) {
    const label = field.replaceAll(".", "_");
    if (byLabel.get(label) === field || hasLabel.has(field)) continue;
    if (!wellFormed.test(label) || byLabel.has(label) || (fixed as readonly string[]).includes(label)) {
      refused.push(field);
    } else {
      byLabel.set(label, field);
    }
  }
  return { names: [...byLabel.keys()], fields: [...byLabel.values()], refused };
};
