/** What enrichment adds to judging: the recorded posts by rules that ask for fields of the cluster, with and without a cluster. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { auditFields } from "../src/audit/catalog.ts";
import { splitPayload } from "../src/audit/payload.ts";
import { createCache } from "../src/pipeline/enrich/cache.ts";
import { createView } from "../src/pipeline/enrich/view.ts";
import { fieldsOfKind } from "../src/pipeline/judge/kinds.ts";
import { loadRules } from "../src/rules/index.ts";
import { catalogOf } from "../src/sdk/catalog.ts";
import { openEvent } from "../src/sdk/json-event.ts";
import type { KubeLookup, KubeReference } from "../src/sdk/kubernetes.ts";
import { cpuSeconds } from "./cpu.ts";
import { objectsOf } from "./enrich-cluster.ts";
import { recordedLines } from "./recorded-posts.ts";

/** Conditions that every event has to answer. */
const asking = [
  "k8smeta.ns.label[team] = nobody",
  "k8smeta.deployment.name = nothing",
  "k8smeta.svc.name intersects (none)",
]
  .map(
    (condition, n) =>
      `- rule: Asks ${n}\n  desc: asks\n  condition: ${condition}\n  output: "%k8smeta.pod.name"\n  priority: NOTICE\n  source: k8s_audit\n`,
  )
  .join("");

export interface Share {
  /** Of the CPU from line to verdict, in percent. */
  readonly percent: number;
  readonly events: number;
  /** Of these, how many were about something that the cluster has. */
  readonly found: number;
}

export const measureShare = (runs: number): Share => {
  const lines = recordedLines();
  const pack = readFileSync(join(import.meta.dirname, "../rules/k8s_audit_rules.yaml"), "utf8");
  const files = [
    { name: "k8s_audit_rules.yaml", text: pack },
    { name: "asking.yaml", text: asking },
  ];
  const catalog = {
    ...catalogOf("k8s_audit", fieldsOfKind({ catalog: auditFields, plugin: "k8saudit", plugins: [] })),
    ...(auditFields.refers && { refers: auditFields.refers }),
  };
  const rules = loadRules(files, { catalogs: [catalog], config: {}, mode: "generated" });
  if (!rules.ok) throw new Error(rules.problems.map(({ message }) => message).join("\n"));
  const cache = clusterOf(lines);
  let found = 0;
  const lookup: KubeLookup = (reference) =>
    createView(cache, reference, (object) => {
      if (object) found++;
    });
  const judge = (knows?: KubeLookup) => (): void => {
    let num = 0;
    for (const line of lines)
      for (const event of splitPayload(line, { maxEventBytes: 1 << 30 }).events)
        rules.match("k8s_audit", openEvent(knows ? { ...event, lookup: knows } : event, ++num, 0));
  };
  const [without, withCluster] = [judge(), judge(lookup)];
  const best = { without: Number.POSITIVE_INFINITY, with: Number.POSITIVE_INFINITY };
  for (let run = 0; run < runs; run++) {
    best.without = Math.min(best.without, cpuSeconds(without));
    best.with = Math.min(best.with, cpuSeconds(withCluster));
  }
  return { percent: (1 - best.without / best.with) * 100, events: lines.length, found: Math.round(found / runs) };
};

/** 10,000 pods, and under the names that the events say one of them each, with its labels and what it belongs to. */
const clusterOf = (lines: readonly string[]) => {
  const cache = createCache({ maxObjects: Number.POSITIVE_INFINITY, graceMs: 0, clock: () => 0 });
  const stream = cache.open();
  const objects = [...objectsOf(10_000)];
  for (const object of objects) stream.put(object);
  const pods = objects.filter(({ kind }) => kind === "Pod");
  const references = lines.flatMap((line): readonly KubeReference[] =>
    splitPayload(line, { maxEventBytes: 1 << 30 }).events.flatMap(
      (event) => auditFields.refers?.(openEvent(event, 1, 0)) ?? [],
    ),
  );
  for (const [n, { kind, uid, namespace = "", name }] of references.entries()) {
    const like = pods[n % pods.length];
    if (like && kind && name !== undefined)
      stream.put({ ...like, kind, name, namespace, uid: uid ?? `${kind} ${namespace} ${name}` });
  }
  return cache;
};
