import { body, type Deliberate } from "../support/deliberate-shape.ts";

const page = "otlp-logs.md";
const changed = (found: object, change: (record: Record<string, unknown>) => object): unknown => {
  if (Array.isArray(found)) return found.map((item) => changed(item, change));
  return Object.fromEntries(
    Object.entries(found).map(([key, value]) => {
      if (key === "logRecords") return [key, (value as Record<string, unknown>[]).map(change)];
      return [key, typeof value === "object" ? changed(value, change) : value];
    }),
  );
};

export default [
  {
    cases: /^/,
    reason: "a record bears the alert's own time and the time at which the hub sent it",
    page,
    becomes: (shape) =>
      body(shape, (value) =>
        changed(value, (record) => ({
          ...record,
          timeUnixNano: "1736936430123456789",
          observedTimeUnixNano: "1736936431000000000",
        })),
      ),
  },
  {
    cases: /^/,
    reason: "a record bears the alert's own severity",
    page,
    becomes: (shape) =>
      body(shape, (value) => changed(value, (record) => ({ ...record, severityNumber: 13, severityText: "WARN" }))),
  },
  {
    cases: /^/,
    reason: "the hub does not call itself OpenTelemetry's client",
    page,
    becomes: (shape) => ({ ...shape, headers: { ...shape.headers, "user-agent": "Falcosidekick" } }),
  },
] satisfies readonly Deliberate[];
