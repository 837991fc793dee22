import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { auditFields } from "../../../../src/audit/catalog.ts";
import { fieldOfCluster, kubeFields } from "../../../../src/fields/k8smeta.ts";
import { createCache } from "../../../../src/pipeline/enrich/cache.ts";
import { createView } from "../../../../src/pipeline/enrich/view.ts";
import type { FieldResult } from "../../../../src/sdk/catalog.ts";
import { openEvent } from "../../../../src/sdk/json-event.ts";
import type { KubeObject, KubeReference } from "../../../../src/sdk/kubernetes.ts";
import { recordedCache as clusterOf } from "../../../support/cluster.ts";

const emptyCache = () => createCache({ maxObjects: 10_000, graceMs: 0, clock: () => 0 });

const recordedCache = () => clusterOf().cache;

const events = readFileSync(new URL("../../../golden/metacollector/events.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n");
const eventOf = (resource: string): string =>
  events.find((line) => line.includes(`"resource":"${resource}"`)) ?? assert.fail(resource);

const ask = (text: string, cache: ReturnType<typeof emptyCache>) => {
  const lookup = (reference: KubeReference) => createView(cache, reference);
  const event = openEvent({ source: "k8s_audit", text, lookup }, 1, 0);
  return (name: string): FieldResult => {
    const read = fieldOfCluster(name);
    const view = event.view((e) => auditFields.refers?.(e));
    if (typeof read === "string") assert.fail(`${name}: ${read}`);
    return view && read(view);
  };
};

const table = (read: (name: string) => FieldResult, wanted: Readonly<Record<string, FieldResult>>) =>
  assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, read(name)])), wanted);

test("a recorded event about a pod of a daemon set has the fields of its pod, its namespace and its owner", () => {
  const event = events.find((line) => line.includes('"subresource":"log"')) ?? "";
  table(ask(event, recordedCache()), {
    "k8smeta.pod.name": "agent-bpcxv",
    "k8sres.pod.name": "agent-bpcxv",
    "k8sres.pod.id": "6772fe1b-11f7-443d-9cb5-ca97b46f9b1a",
    "k8smeta.pod.ip": "127.0.0.1",
    "k8smeta.pod.label[app]": "agent",
    "k8smeta.pod.label[topology.kubernetes.io/zone]": "zone-a",
    "k8smeta.pod.label[missing]": undefined,
    "k8smeta.ns.name": "shop",
    "k8smeta.ns.uid": "7073c659-cf00-4175-9c9e-67c599dc9e95",
    "k8smeta.ns.labels": ["kubernetes.io/metadata.name:shop"],
    "k8smeta.ds.name": "agent",
    "k8smeta.deployment.name": undefined,
    "k8smeta.svc.name": undefined,
    "k8smeta.owner.kind": "DaemonSet",
    "k8smeta.owner.name": "agent",
  });
});

test("events about a deployment, a service and a pod that they select have theirs", () => {
  const cache = recordedCache();
  table(ask(eventOf("deployments"), cache), {
    "k8sres.deployment.name": "web",
    "k8sres.deployment.id": "e1cb2296-0a31-4b33-a334-84a16ff644c0",
    "k8smeta.deployment.label[team]": "storefront",
    "k8smeta.deployment.labels": ["app:web", "team:storefront"],
    "k8smeta.pod.name": undefined,
    "k8smeta.ns.name": "shop",
  });
  table(ask(eventOf("services"), cache), { "k8smeta.svc.name": ["web-lb"], "k8smeta.ns.name": "shop" });
  table(ask(audit("pods", "web-86ff99898-bfr8q"), cache), {
    "k8smeta.rs.name": "web-86ff99898",
    "k8smeta.rs.label[version]": "v1",
    "k8smeta.deployment.name": "web",
    "k8smeta.svc.name": ["web81", "web", "web-lb"],
    "k8smeta.svc.label[team]": ["storefront"],
    "k8smeta.svc.labels": ["app:web", "team:storefront", "app:web"],
    "k8smeta.owner.kind": "Deployment",
    "k8smeta.owner.name": "web",
  });
});

test("what is not known is absent, and the namespace is known by its name alone", () => {
  const eviction = events.find((line) => line.includes('"subresource":"eviction"')) ?? "";
  table(ask(eviction, emptyCache()), {
    "k8smeta.pod.name": undefined,
    "k8smeta.ns.name": "shop",
    "k8smeta.ns.uid": undefined,
    "k8smeta.owner.kind": undefined,
  });
});

const object = (kind: KubeObject["kind"], uid: string, more: Partial<KubeObject> = {}): KubeObject => ({
  kind,
  uid,
  name: uid,
  namespace: "shop",
  ...more,
});
const owner = (kind: string, uid: string) => ({ owner: { kind, uid, name: uid } });

const apiCache = () => {
  const cache = emptyCache();
  const stream = cache.open();
  for (const each of [
    object("Namespace", "ns", { name: "shop", namespace: "", labels: { team: "a" } }),
    object("Deployment", "d", { labels: { x: "1" } }),
    object("ReplicaSet", "rs", owner("Deployment", "d")),
    object("Pod", "p", {
      ...owner("ReplicaSet", "rs"),
      labels: { app: "web", tier: "front" },
      annotations: { "example.com/contact": "ops" },
      pod: { node: "n1", images: ["a:1", "b:2"], containers: ["0123456789abcdef"] },
    }),
    object("Service", "s1", { selector: { app: "web" } }),
    object("Service", "s2", { selector: { app: "other" } }),
    object("Service", "s3", { namespace: "elsewhere", selector: { app: "web" } }),
    object("CronJob", "cj"),
    object("Job", "j", owner("CronJob", "cj")),
    object("Pod", "jp", owner("Job", "j")),
    object("Pod", "circle", owner("ReplicaSet", "c1")),
    object("ReplicaSet", "c1", owner("ReplicaSet", "c2")),
    object("ReplicaSet", "c2", owner("ReplicaSet", "c1")),
  ])
    stream.put(each);
  return cache;
};

const audit = (resource: string, name: string, more: object = {}) =>
  JSON.stringify({ auditID: "1", objectRef: { resource, namespace: "shop", name }, user: {}, ...more });

test("objects that name their controllers are followed to the top, services select by labels", () => {
  table(ask(audit("pods", "p"), apiCache()), {
    "k8smeta.rs.name": "rs",
    "k8smeta.deployment.label[x]": "1",
    "k8smeta.owner.kind": "Deployment",
    "k8smeta.svc.name": ["s1"],
    "k8smeta.pod.node": "n1",
    "k8smeta.pod.images": ["a:1", "b:2"],
    "k8smeta.annotation[example.com/contact]": "ops",
    "k8smeta.ns.label[team]": "a",
  });
  table(ask(audit("pods", "jp"), apiCache()), { "k8smeta.owner.kind": "CronJob", "k8smeta.owner.name": "cj" });
  assert.equal(ask(audit("pods", "circle"), apiCache())("k8smeta.owner.kind"), "ReplicaSet");
});

test("the pod that made the request is told by its bound token", () => {
  const extra = (key: string, value: string) => ({ [`authentication.kubernetes.io/${key}`]: [value] });
  const user = { username: "system:serviceaccount:shop:default", extra: { ...extra("pod-name", "p") } };
  table(ask(audit("secrets", "x", { user }), apiCache()), {
    "k8smeta.caller.pod.name": "p",
    "k8smeta.caller.ns.name": "shop",
    "k8smeta.caller.node": "n1",
    "k8smeta.pod.name": undefined,
    "k8smeta.ns.name": "shop",
  });
  const byUid = { username: "someone", extra: extra("pod-uid", "jp") };
  assert.equal(ask(audit("secrets", "x", { user: byUid }), apiCache())("k8smeta.caller.pod.name"), "jp");
});

test("a pod that was made without a name is found by the name that the answer has; its subresources' answers name none", () => {
  const made = JSON.stringify({
    auditID: "1",
    objectRef: { resource: "pods", namespace: "shop" },
    responseObject: { metadata: { name: "p", uid: "unknown yet" } },
  });
  assert.equal(ask(made, apiCache())("k8smeta.pod.uid"), "p");
  const token = JSON.stringify({
    auditID: "1",
    objectRef: { resource: "pods", subresource: "eviction", namespace: "shop", name: "jp" },
    responseObject: { metadata: { name: "p", uid: "p" } },
  });
  assert.equal(ask(token, apiCache())("k8smeta.pod.uid"), "jp");
});

test("the fields of the plugin's first generation are all there, twenty-five of them", () => {
  const names = kubeFields(() => undefined).map(({ name }) => name);
  const first = names.filter((name) => name.startsWith("k8sres."));
  assert.equal(first.length, 25);
  const current = first.map((name) => name.replace("k8sres.", "k8smeta.").replace(/\.id$/, ".uid"));
  assert.deepEqual(
    current.filter((name) => !names.includes(name)),
    [],
  );
});

test("shapes that no API server writes have no fields, and break nothing", () => {
  for (const text of [
    "{}",
    '{"auditID":1}',
    '{"auditID":"1","objectRef":[]}',
    '{"auditID":"1","objectRef":{"resource":7,"name":{}},"user":"x"}',
    '{"auditID":"1","objectRef":{"resource":"pods","name":"p"},"user":{"extra":{"authentication.kubernetes.io/pod-uid":"x"}}}',
    '{"auditID":"1","objectRef":{"resource":"constructor","namespace":"__proto__","name":"toString"}}',
  ])
    assert.equal(ask(text, apiCache())("k8smeta.pod.name"), undefined, text);
});
