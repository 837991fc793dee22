import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { loadConfig } from "../../../src/config/load.ts";
import { createMetrics } from "../../../src/metrics/metrics.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/operating.md"), "utf8");

test("the page names every metric of the hub's own in a row, and none that does not exist", async () => {
  const exposed = await createMetrics({ process: false, now: () => 0 }).expose();
  const real = [...exposed.matchAll(/^# TYPE (eyrie_\w+) /gm)].map((m) => m[1]);
  assert.ok(real.length > 10);
  const rows = [...page.matchAll(/^\| `(eyrie_\w+)` \|/gm)].map((m) => m[1]);
  assert.deepEqual(rows.toSorted(), real.toSorted());
  for (const [, named] of page.matchAll(/\b(eyrie_\w+)/g)) assert.ok(real.includes(named), named);
  for (const [, old] of exposed.matchAll(/^# TYPE (falcosecurity_\w+) /gm)) assert.ok(page.includes(`\`${old}\``), old);
});

test("the labels on the page are those of the metrics", async () => {
  const metrics = createMetrics({ process: false, now: () => 0 });
  const of = metrics.delivery("slack", "slack");
  of.attempt("ok", 1, 1, 0);
  of.retried("timeout", 1);
  of.dead("invalid", 1);
  of.omitted(1);
  of.listenerFailed("ledger");
  metrics.intakeBytes("requests", 1);
  metrics.intakeRejected("requests", "invalid", 1);
  metrics.credentialReload("hub", "ok");
  metrics.lettersDropped("out:slack", 1);
  metrics.sourceGap("k8saudit");
  metrics.refused("alerts", "invalid", 1);
  metrics.ruleMatch("r", "Notice", "k8s_audit");
  metrics.rulesReload("ok");
  metrics.off("smtp.to", "smtp");
  metrics.off("debug");
  metrics.metadataLookup("found");
  metrics.metadataHeard("drop", "kind");
  const depth = { waiting: 0, active: 0, delayed: 0, dead: 0 };
  metrics.scrape({
    lanes: async () => [{ lane: "alerts", depth }],
    queue: () => ({
      driver: "sqlite",
      writable: true,
      durable: true,
      warnings: [],
      damaged: { files: [], bytes: 1, reading: false, lost: { alerts: 1 } },
    }),
    metadata: () => ({
      objects: { Pod: 1 },
      bytes: 1,
      refused: 0,
      watches: [{ collector: "c:45000", node: "n", connected: true, synced: true, quietMs: 1 }],
      resources: [{ resource: "pods", connected: true, synced: true, quietMs: 1 }],
    }),
    listeners: () => [{ listener: "alerts", requests: 0, bytes: 0, connections: 0 }],
  });
  const exposed = await metrics.expose();
  for (const [, name, labels = ""] of page.matchAll(/^\| `(eyrie_\w+)` \|(.*?)\|/gm)) {
    const sample = new RegExp(`^${name}(?:_bucket|)(?:\\{(.*)\\})? `, "m").exec(exposed);
    assert.ok(sample, name);
    const real = [...(sample[1] ?? "").matchAll(/(\w+)=/g)].map((m) => m[1]).filter((label) => label !== "le");
    assert.deepEqual([...labels.matchAll(/`(\w+)`/g)].map((m) => m[1]).toSorted(), real.toSorted(), name);
  }
});

test("the YAML on the page is a configuration without a fault", () => {
  const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].flatMap(([, text = ""]) =>
    parseAllDocuments(text).map((document) => String(document)),
  );
  assert.equal(blocks.length, 2);
  for (const block of blocks) {
    const read = () => block;
    const { config, problems } = loadConfig({ file: "x.yaml", read, env: {}, outputs: [], sources: [] });
    assert.deepEqual(problems, []);
    assert.equal(config.queue.driver, "redis");
  }
});
