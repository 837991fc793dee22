import { body, cut, type Deliberate } from "../support/deliberate-shape.ts";
import { cutBetweenCharacters } from "../support/differences.ts";
import type { GoldenCase } from "../support/golden-replay.ts";

interface Event {
  readonly payload: { readonly summary: string; readonly custom_details: object };
}

/** Keys in any case, the last of a name counts. */
const alertOf = (golden: GoldenCase) =>
  Object.fromEntries(
    Object.entries(JSON.parse(golden.input ?? "{}") as object).map(([key, value]) => [key.toLowerCase(), value]),
  ) as { rule: string; priority: string; source?: string; tags?: string[] };

const severities: Readonly<Record<string, string>> = {
  error: "error",
  warning: "warning",
  notice: "info",
  info: "info",
  informational: "info",
  debug: "info",
};

export default [
  cutBetweenCharacters,
  {
    cases: /^/,
    reason: "the severity is that of the alert, what tells it apart is kept, and a repetition opens no second alert",
    page: "pagerduty.md",
    becomes: (shape, golden) => ({
      ...body(shape, (value) => {
        const { payload } = value as unknown as Event;
        const { rule, priority, source, tags } = alertOf(golden);
        const all = [...(tags ?? []), ...(golden.config.includes("customtags") ? ["tagB", "Atag"] : [])].toSorted();
        const level = priority.toLowerCase();
        const custom_details = {
          ...payload.custom_details,
          rule,
          priority: level === "info" ? "Informational" : level.replace(/^./, (c) => c.toUpperCase()),
          source: rule === "Test rule" ? "internal" : source || "syscalls",
          ...(all.length > 0 && { tags: all.join(", ") }),
        };
        const severity = severities[level] ?? "critical";
        return { ...value, dedup_key: "<UUID>", payload: { ...payload, severity, custom_details } };
      }),
      headers: { ...shape.headers, "user-agent": "Falcosidekick" },
    }),
  },
  {
    cases: /(no|empty)-output/,
    reason: "PagerDuty refuses an empty summary: the rule stands for it",
    page: "pagerduty.md",
    becomes: (shape, golden) =>
      body(shape, (value) => ({ ...value, payload: { ...value.payload, summary: alertOf(golden).rule } })),
  },
  {
    cases: /long-field/,
    reason: "PagerDuty takes 1,024 characters of summary",
    page: "limits-per-destination.md",
    becomes: (shape) =>
      body(shape, (value) => {
        const { payload } = value as unknown as Event;
        return { ...value, payload: { ...payload, summary: cut(payload.summary, 1024) } };
      }),
  },
  {
    cases: /-eu-/,
    reason: "the region is obeyed",
    page: "pagerduty.md",
    becomes: (shape) => ({ ...shape, host: "events.eu.pagerduty.com" }),
  },
] satisfies readonly Deliberate[];
