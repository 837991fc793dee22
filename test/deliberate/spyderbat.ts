import { body, type Deliberate, input } from "../support/deliberate-shape.ts";
import type { GoldenCase, GoldenRequest } from "../support/golden-replay.ts";

const levels: Readonly<Record<string, string>> = {
  Critical: "critical",
  Warning: "medium",
  Notice: "low",
  Debug: "info",
};

/** What goes out for an alert of no process, or without the time of its event. */
const eventOf = (golden: GoldenCase): GoldenRequest => {
  const alert = input(golden) as ReturnType<typeof input> & { readonly priority: string; readonly time: string };
  const { "evt.time": at, "proc.cmdline": args = "", "container.id": container = "" } = alert.output_fields;
  return {
    method: "POST",
    path: "/api/v1/org/org1/source/falcosidekick_org1/data/sb-agent",
    query: "",
    headers: {
      "User-Agent": "Falcosidekick",
      Authorization: "Bearer sbkey",
      "Content-Encoding": "gzip",
      "Content-Type": "application/ndjson",
    },
    body: JSON.stringify({
      schema: "falco_alert::1.0.0",
      id: "<UUID>",
      monotonic_time: "<NOW NANOS>",
      orc_time: "<NOW UNIX FLOAT>",
      time: Math.floor(typeof at === "number" ? at / 1e9 : Date.parse(alert.time) / 1000),
      level: levels[alert.priority],
      msg: alert.output.split(" ").slice(2),
      args,
      container,
    }),
  };
};

export default [
  {
    cases: /NOTHING/,
    reason: "alerts of no process are sent too",
    page: "spyderbat-events.md",
    becomes: (shape) => shape,
    adds: (golden) => [eventOf(golden)],
  },
  {
    cases: /short-prefix/,
    reason: "only a time and a priority are cut off the text",
    page: "spyderbat-events.md",
    becomes: (shape, golden) => body(shape, (value) => ({ ...value, msg: input(golden).output.split(" ") })),
  },
  {
    cases: /STARTUP/,
    reason: "the requests at start name the same client as the others",
    page: "spyderbat-events.md",
    becomes: (shape) => ({ ...shape, headers: { ...shape.headers, "user-agent": "Falcosidekick" } }),
  },
] satisfies readonly Deliberate[];
