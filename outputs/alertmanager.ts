import { type Priority, parsePriority, priorityLevel } from "../src/sdk/alert.ts";
import { renamed } from "../src/sdk/distinct.ts";
import { DeliveryError } from "../src/sdk/errors.ts";
import type { FieldText } from "../src/sdk/field-text.ts";
import { type Config, int, list, pairs, text, urls } from "../src/sdk/fields.ts";
import { anyNameTest } from "../src/sdk/glob.ts";
import { headerFaults, joinUrl, pathFaults, postJson } from "../src/sdk/http.ts";
import { everything, readable, remember } from "../src/sdk/message.ts";
import { type Alert, defineOutput } from "../src/sdk/output.ts";

const fields = {
  hostport: urls("URLs of Alertmanager; every one gets every alert."),
  endpoint: text("Path of the API.", "/api/v2/alerts"),
  expiresafter: int("Seconds after its time at which an alert ends; 0: Alertmanager's resolve_timeout.", 0),
  extralabels: pairs("Labels added to every alert.", { bare: true }),
  extraannotations: pairs("Annotations added to every alert.", { bare: true }),
  annotatedfields: list(
    "Output fields that become annotations instead of labels, so that alerts that differ in nothing else are one; `*` stands for any text.",
  ),
  customseveritymap: pairs("Priority → severity, in place of the standard severities."),
  dropeventdefaultpriority: text("Priority of an alert about dropped events above no threshold.", "critical"),
  dropeventthresholds: text(
    "Drops → priority of alerts about dropped events, `drops:priority` comma separated.",
    "10000:critical, 1000:critical, 100:critical, 10:warning, 1:warning",
    { commas: true },
  ),
  customheaders: pairs("Headers added to every request.", { secret: true }),
};
type Settings = Config<typeof fields>;

export default defineOutput({
  name: "alertmanager",
  display: "AlertManager",
  category: "alerting",
  about: "Prometheus Alertmanager, one or several.",
  fields,
  example: { hostport: ["http://127.0.0.1:9093"], expiresafter: 900 },
  batch: { items: 100, bytes: 1_000_000 },
  enabled: (config) => config.hostport.length > 0,
  warn: (config) => oddPriorities(config),
  check: ({ endpoint, customheaders }) => [
    ...pathFaults("endpoint", endpoint),
    ...headerFaults("customheaders", customheaders),
  ],
  open: (config, host) => ({
    send: async (alerts, signal) => {
      const payload = alerts.map((alert) => alertOf(alert, config, host.now()));
      const requests = config.hostport.map((url) =>
        postJson(joinUrl(url, config.endpoint), payload, config.customheaders),
      );
      const results = await Promise.allSettled(requests.map((request) => host.http(request, signal)));
      const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
      if (refused.length === results.length) throw refused[0];
      for (const error of refused) {
        const { fault, said } = error instanceof DeliveryError ? error : { fault: { reason: "other" }, said: "" };
        host.log.warn({ reason: fault.reason, said }, "one Alertmanager did not take what another did");
      }
    },
  }),
});

/** An alert of Alertmanager's API. */
export const alertOf = (alert: Alert, config: Settings, now: number) => {
  const { output, fields } = readable(alert, everything);
  const { rule, source, hostname, tags } = alert;
  let priority: Priority = alert.priority;
  const shown: FieldText[] = [];
  const apart: FieldText[] = [];
  const isApart = annotated(config.annotatedfields.join(","));
  for (const [name, text] of fields) {
    if (typeof alert.output_fields[name] === "boolean" || name.startsWith("n_evts")) continue;
    const drops = name.startsWith("n_drop") ? dropLabel(text, config) : { text, priority: undefined };
    if (drops === undefined) continue;
    priority = higher(priority, drops.priority);
    (isApart(name) ? apart : shown).push([name, drops.text]);
  }
  const own = {
    source: "falco",
    rule,
    alertname: rule,
    eventsource: source,
    priority,
    ...(hostname && { hostname }),
    ...(tags.length > 0 && { tags: tags.join(",") }),
    severity: severity(priority, config),
  };
  const labels = { ...Object.fromEntries(renamed(shown, labelName, ownLabels)), ...own, ...named(config.extralabels) };
  const texts = { info: output, description: output, summary: rule };
  const annotations = {
    ...Object.fromEntries(renamed(apart, labelName, Object.keys(texts))),
    ...texts,
    ...named(config.extraannotations),
  };
  return { labels, annotations, endsAt: endsAt(alert.time, config.expiresafter, now) };
};

const ownLabels = ["source", "rule", "alertname", "eventsource", "priority", "hostname", "tags", "severity"];

const annotated = remember((patterns: string) => anyNameTest(patterns.split(",").filter(Boolean)));

/** Letters, digits and `_`, which the first is not: a digit there gets a letter's place before it. */
const labelName = (name: string): string => {
  const text = name.replaceAll(/[^A-Za-z0-9_]/gu, "_").replaceAll("__", "_");
  let from = 0;
  let to = text.length;
  while (from < to && text[from] === "_") from += 1;
  while (to > from && text[to - 1] === "_") to -= 1;
  const trimmed = text.slice(from, to);
  return /^[A-Za-z]/.test(trimmed) ? trimmed : `_${trimmed}`;
};

const named = (added: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(added).filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)));

const severities: Partial<Record<Priority, string>> = {
  Emergency: "critical",
  Alert: "critical",
  Critical: "critical",
  Error: "warning",
  Warning: "warning",
};
const severity = (priority: Priority, { customseveritymap: own }: Settings) =>
  Object.entries(own).find(([name]) => parsePriority(name) === priority)?.[1] ?? severities[priority] ?? "information";

const higher = (a: Priority, b: Priority | undefined) => (b && priorityLevel(b) > priorityLevel(a) ? b : a);

const thresholds = remember((written: string) =>
  written
    .split(",")
    .map((item) => item.split(":").map((part) => part.trim()))
    .filter(([drops]) => /^\d+$/.test(drops ?? ""))
    .map(([drops, name]) => ({ drops: Number(drops), priority: parsePriority(name ?? "") }))
    .toSorted((a, b) => b.drops - a.drops),
);

/** What falcosidekick logs at start: priorities and thresholds that mean nothing. */
const oddPriorities = (config: Settings): readonly string[] => {
  const { customseveritymap, dropeventdefaultpriority, dropeventthresholds } = config;
  const odd = dropeventthresholds.split(",").filter((item) => {
    const [drops = "", name = ""] = item.split(":").map((part) => part.trim());
    return item.trim() !== "" && !(/^\d+$/.test(drops) && parsePriority(name));
  });
  return [
    ...Object.keys(customseveritymap).flatMap((name) =>
      parsePriority(name) ? [] : [`customseveritymap: "${name}" is no priority and is left out`],
    ),
    ...(dropeventdefaultpriority === "" || parsePriority(dropeventdefaultpriority)
      ? []
      : ["dropeventdefaultpriority: is no priority: none is raised"]),
    ...odd.map((item) => `dropeventthresholds: "${item.trim()}" is not drops:priority and raises nothing`),
  ];
};

/** Counts of dropped events as a few labels instead of ever new ones, and the priority they call for. */
const dropLabel = (value: string, config: Settings) => {
  if (!/^[+-]?\d+$/.test(value)) return undefined;
  const drops = Number(value);
  if (drops === 0) return { text: "0", priority: "Warning" as const };
  const passed = thresholds(config.dropeventthresholds).find((threshold) => drops > threshold.drops);
  if (passed) return { text: `>${passed.drops}`, priority: passed.priority };
  return { text: String(drops), priority: parsePriority(config.dropeventdefaultpriority) };
};

/** Years of five digits are no RFC 3339. */
const lastEnd = Date.parse("9999-12-30T00:00:00Z");

/** Zero stands for Alertmanager's own timeout. An alert that comes late ends late: one that has ended would not be told. */
const endsAt = (time: string, seconds: number, now: number): string => {
  if (seconds === 0) return "0001-01-01T00:00:00Z";
  const [, date = "", fraction = "", zone = "Z"] = /^(.{19})(\.\d+)?(.*)$/.exec(time) ?? [];
  if (Date.parse(time) + seconds * 1000 >= lastEnd) return new Date(lastEnd).toISOString();
  if (Date.parse(time) + seconds * 1000 <= now) return new Date(now + seconds * 1000).toISOString();
  return new Date(Date.parse(`${date}Z`) + seconds * 1000).toISOString().slice(0, 19) + fraction + zone;
};
