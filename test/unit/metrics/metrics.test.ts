import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics, type MetricsOptions } from "../../../src/metrics/metrics.ts";
import type { Depth } from "../../../src/queue/queue.ts";
import type { Alert } from "../../../src/sdk/alert.ts";

const alertOf = (over: Partial<Alert> = {}): Alert => ({
  uuid: "00000000-0000-4000-8000-000000000001",
  time: "2025-01-15T10:20:30Z",
  rule: "Terminal shell in container",
  priority: "Warning",
  source: "syscall",
  output: "x",
  hostname: "node-1",
  tags: [],
  output_fields: { "k8s.ns.name": "prod", "k8s.pod.name": "web-6d5f", "user.name": "root", "proc.pid": 4242 },
  added: [],
  ...over,
});

const make = (options: Partial<MetricsOptions> = {}) =>
  createMetrics({ process: false, now: () => 1_000_000, ...options });

/** Samples of one metric as `labels sorted by name → value`. */
const samples = async (metrics: ReturnType<typeof make>, name: string): Promise<Record<string, number>> => {
  const found: Record<string, number> = {};
  for (const line of (await metrics.expose()).split("\n")) {
    const m = /^([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (m?.[1] === name)
      found[
        (m[2] ?? "")
          .split(/,(?=[a-z0-9_]+=)/)
          .sort()
          .join(",")
      ] = Number(m[3]);
  }
  return found;
};

const eventsName = "falcosecurity_falcosidekick_falco_events_total";

test("falco_events_total carries falcosidekick's labels and the configured ones, numbers as empty text", async () => {
  const metrics = make({
    labels: { customfields: ["missing.x"], templatedfields: ["tmpl"], extralabels: ["user.name", "proc.pid"] },
  });
  metrics.event(alertOf({ output_fields: { ...alertOf().output_fields, tmpl: "sh" } }));
  assert.deepEqual(await samples(metrics, eventsName), {
    'hostname="node-1",k8s_ns_name="prod",k8s_pod_name="web-6d5f",missing_x="",priority="4",priority_raw="warning",proc_pid="",rule="Terminal shell in container",source="syscall",tmpl="sh",user_name="root"': 1,
  });
});

test("an alert without a hostname counts under unknown", async () => {
  const metrics = make();
  const { hostname: _, ...without } = alertOf({ output_fields: { a: 1 } });
  metrics.event(without);
  metrics.event(alertOf({ hostname: "", output_fields: { a: 1 } }));
  assert.deepEqual(await samples(metrics, eventsName), {
    'hostname="unknown",k8s_ns_name="",k8s_pod_name="",priority="4",priority_raw="warning",rule="Terminal shell in container",source="syscall"': 2,
  });
});

test("labels that falcosidekick crashes on are refused by name and the rest works", async () => {
  const metrics = make({ labels: { customfields: ["source", "ok"], extralabels: ["bad-label", "a.b", "a_b", "ok"] } });
  assert.deepEqual(metrics.refusedLabels, ["source", "bad-label", "a_b"]);
  metrics.event(alertOf());
  assert.equal(Object.keys(await samples(metrics, eventsName)).length, 1);
});

test("beyond the bound new label sets count in an overflow series that keeps the priority", async () => {
  const metrics = make({ series: { maxSeries: 2 } });
  for (let i = 0; i < 50; i++) metrics.event(alertOf({ rule: `rule ${i}` }));
  metrics.event(alertOf({ rule: "rule 0" }));
  const found = await samples(metrics, eventsName);
  assert.equal(Object.keys(found).length, 3);
  const over = Object.entries(found).find(([labels]) => labels.includes('rule="overflow"'));
  assert.match(over![0], /hostname="overflow".*priority="4",priority_raw="warning"/);
  assert.equal(over![1], 48);
  assert.deepEqual(await samples(metrics, "eyrie_events_series_overflow_total"), { "": 48 });
});

test("a label value of any length or content neither grows the registry nor breaks the exposition", async () => {
  const metrics = make();
  metrics.event(alertOf({ rule: `${"x".repeat(1_000_000)}` }));
  metrics.event(alertOf({ rule: 'a"b\\c\nd', hostname: "\ud800" }));
  const text = await metrics.expose();
  assert.ok(text.length < 20_000);
  assert.match(text, /rule="a\\"b\\\\c\\nd"/);
});

test("inputs and outputs keep falcosidekick's names and an output shows at zero before its first alert", async () => {
  let now = 5_000;
  const metrics = make({ now: () => now });
  metrics.input("requests", "accepted", 3);
  metrics.input("requests", "rejected", 1);
  const slack = metrics.delivery("slack.soc", "slack");
  assert.deepEqual(await samples(metrics, "falcosecurity_falcosidekick_inputs_total"), {
    'source="requests",status="accepted"': 3,
    'source="requests",status="rejected"': 1,
  });
  const name = "falcosecurity_falcosidekick_outputs_total";
  assert.deepEqual(await samples(metrics, name), {
    'destination="slack",status="ok"': 0,
    'destination="slack",status="error"': 0,
  });
  slack.attempt("partial", 0.1, 2, 1);
  now = 6_000;
  metrics.delivery("slack.dev", "slack").attempt("ok", 0.1, 1, 0);
  assert.deepEqual(await samples(metrics, name), {
    'destination="slack",status="ok"': 3,
    'destination="slack",status="error"': 1,
  });
  assert.deepEqual(await samples(metrics, "eyrie_last_success_timestamp_seconds"), {
    'output="slack.soc"': 5,
    'output="slack.dev"': 6,
  });
});

test("a delivery reports attempts, latency, retries, dead letters and its breaker", async () => {
  const metrics = make();
  const delivery = metrics.delivery("loki", "loki");
  delivery.attempt("ok", 0.02, 1, 0);
  delivery.attempt("timeout", 3, 0, 4);
  delivery.retried("timeout", 4);
  delivery.dead("client_error", 2);
  delivery.breaker("open");
  assert.deepEqual(await samples(metrics, "eyrie_delivery_attempts_total"), {
    'outcome="ok",output="loki"': 1,
    'outcome="timeout",output="loki"': 1,
  });
  assert.deepEqual(await samples(metrics, "eyrie_delivery_seconds_count"), { 'output="loki"': 2 });
  assert.deepEqual(await samples(metrics, "eyrie_delivery_retries_total"), { 'output="loki",reason="timeout"': 4 });
  assert.deepEqual(await samples(metrics, "eyrie_dead_letters_total"), { 'output="loki",reason="client_error"': 2 });
  assert.deepEqual(await samples(metrics, "eyrie_breaker_state"), { 'output="loki"': 2 });
});

test("depths are read at the scrape and a lane that is gone disappears", async () => {
  const metrics = make();
  let lanes: { lane: string; depth: Depth }[] = [
    { lane: "out:slack", depth: { waiting: 5, active: 1, delayed: 2, dead: 3, oldestAt: 990_000 } },
  ];
  metrics.scrape({
    lanes: async () => lanes,
    queue: () => ({ driver: "redis", writable: true, durable: false, warnings: [], spilled: 7 }),
    inflightBytes: () => 11,
  });
  assert.deepEqual(await samples(metrics, "eyrie_lane_events"), {
    'lane="out:slack",state="waiting"': 5,
    'lane="out:slack",state="active"': 1,
    'lane="out:slack",state="delayed"': 2,
    'lane="out:slack",state="dead"': 3,
  });
  assert.deepEqual(await samples(metrics, "eyrie_lane_oldest_age_seconds"), { 'lane="out:slack"': 10 });
  assert.deepEqual(await samples(metrics, "eyrie_queue_durable"), { "": 0 });
  assert.deepEqual(await samples(metrics, "eyrie_queue_writable"), { "": 1 });
  assert.deepEqual(await samples(metrics, "eyrie_spill_events"), { "": 7 });
  assert.deepEqual(await samples(metrics, "eyrie_intake_inflight_bytes"), { "": 11 });
  lanes = [];
  assert.deepEqual(await samples(metrics, "eyrie_lane_events"), {});
});

test("a queue that cannot be asked does not stop the scrape", async () => {
  const metrics = make();
  metrics.scrape({ lanes: () => Promise.reject(new Error("down")) });
  metrics.input("requests", "accepted", 1);
  assert.match(await metrics.expose(), /inputs_total\{source="requests",status="accepted"\} 1/);
});

test("scrapes that overlap share one collection", async () => {
  const metrics = make();
  let asked = 0;
  metrics.scrape({
    lanes: async () => {
      asked++;
      return [];
    },
  });
  const [a, b] = await Promise.all([metrics.expose(), metrics.expose()]);
  assert.equal(a, b);
  assert.equal(asked, 1);
  await metrics.expose();
  assert.equal(asked, 2);
});

test("every metric has help and the process' own metrics are there", async () => {
  const text = await make({ process: true }).expose();
  assert.match(text, /process_resident_memory_bytes \d/);
  assert.match(text, /nodejs_eventloop_lag_seconds/);
  for (const line of text.split("\n")) if (line.startsWith("# HELP")) assert.match(line, /^# HELP \S+ \S/);
});
