import { body, type Deliberate } from "../support/deliberate-shape.ts";
import { cutBetweenCharacters } from "../support/differences.ts";

const withLabels = (value: unknown, labels: object): unknown =>
  (value as { labels: object }[]).map((alert) => ({ ...alert, labels: { ...alert.labels, ...labels } }));

export default [
  cutBetweenCharacters,
  {
    cases: /severitymap-yaml.*debug/,
    reason: "customseveritymap is read from YAML too",
    page: "alertmanager.md",
    becomes: (shape) => body(shape, (value) => withLabels(value, { severity: "low" })),
  },
] satisfies readonly Deliberate[];
