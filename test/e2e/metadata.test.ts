import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { CollectorEvent } from "../../src/pipeline/enrich/collector/client.ts";
import { openHttpSink } from "../fakes/http-sink.ts";
import { recorded, startMetacollector } from "../fakes/metacollector.ts";
import { falcoAlert } from "../support/alerts.ts";
import { runEyrie } from "../support/command.ts";
import { type HubOptions, scratch, startHub } from "../support/hub-process.ts";
import { until } from "../support/until.ts";

const teamOf = (uid: string, name: string, team: string): CollectorEvent => ({
  reason: "Update",
  uid,
  kind: "Namespace",
  meta: JSON.stringify({ name, uid, labels: { team } }),
});

/** A hub beside a collector that tells the recorded cluster, two of whose namespaces bear a team. */
const start = async (t: TestContext, config: (address: string, dir: string) => string) => {
  const { dir, remove } = scratch();
  const events = [
    ...recorded("node-1").flatMap((telling) => telling.events),
    teamOf("7073c659-cf00-4175-9c9e-67c599dc9e95", "shop", "storefront"),
    teamOf("bacdd48a-0658-4375-b4cd-6a8bb1e105ee", "stall", "platform"),
  ];
  const collector = await startMetacollector([{ events }]);
  const options: HubOptions = { datadir: dir, config: config(collector.address, dir) };
  const hub = await startHub(options);
  t.after(async () => {
    await hub.stop("SIGKILL");
    collector.close();
    remove();
  });
  return { hub, dir, collector };
};

const post = async (url: string, alert: object) =>
  assert.equal((await fetch(url, { method: "POST", body: JSON.stringify(alert) })).status, 200);

const readyz = async (url: string) => {
  const reply = await fetch(`${url}/readyz`);
  return { status: reply.status, text: await reply.text() };
};

test("a posted alert gains the fields of its pod, two teams' alerts go to two channels, and readiness waits for the first telling", async (t) => {
  const [one, two] = [await openHttpSink(), await openHttpSink()];
  t.after(() => Promise.all([one.close(), two.close()]));
  const { hub } = await start(
    t,
    (address) => `metadata: { collectors: ["${address}"], nodes: [node-1] }
enrich:
  add: ["k8smeta.deployment.name", "k8smeta.ns.label[team]", "k8smeta.svc.name"]
  as: { "k8smeta.deployment.name": deployment }
webhook:
  - { name: one, address: "${one.url}/", match: 'k8smeta.ns.label[team] = storefront' }
  - { name: two, address: "${two.url}/", match: 'k8smeta.ns.label[team] = platform' }
`,
  );
  assert.equal((await readyz(hub.url)).status, 503);
  assert.match((await readyz(hub.url)).text, /the cluster's objects are not all told yet/);
  await until("everything is told", async () => (await readyz(hub.url)).status === 200);

  const of = (n: number, fields: object) => ({ ...falcoAlert(n), output_fields: fields });
  await post(hub.url, of(1, { "k8s.ns.name": "shop", "k8s.pod.name": "web-86ff99898-bfr8q", "proc.name": "sh" }));
  await post(hub.url, of(2, { "k8s.pod.uid": "0059e341-3133-4368-ac38-dfc1fe2c177c" }));
  await post(hub.url, of(3, { "k8s.ns.name": "nowhere", "k8s.pod.name": "unknown" }));
  await until("both are there", () => one.count() === 1 && two.count() === 1);
  const fields = JSON.parse(one.requests[0]?.body ?? "").output_fields;
  assert.deepEqual(fields, {
    deployment: "web",
    "k8s.ns.name": "shop",
    "k8s.pod.name": "web-86ff99898-bfr8q",
    "k8smeta.ns.label[team]": "storefront",
    "k8smeta.svc.name": ["web81", "web", "web-lb"],
    "proc.name": "sh",
  });
  const shown = await runEyrie(["metadata", "get", "pod", "web-86ff99898-bfr8q", "-n", "shop", "--url", hub.url]);
  assert.match(shown.stdout, /^owner +Deployment web$/m);
  const metrics = await (await fetch(`${hub.url}/metrics`)).text();
  assert.match(metrics, /^eyrie_metadata_objects\{kind="Pod"\} 86$/m);
  assert.match(metrics, /^eyrie_metadata_lookups_total\{outcome="found"\} 2$/m);
  assert.match(metrics, /^eyrie_metadata_lookups_total\{outcome="unknown"\} 1$/m);
  assert.match(metrics, /^eyrie_metadata_synced\{collector="[^"]+",node="node-1"\} 1$/m);
});

test("rules on the cluster's fields fire on recorded audit events, configured as Falco's plugin is", async (t) => {
  const sink = await openHttpSink();
  t.after(() => sink.close());
  const rules = `
- rule: Scaled
  desc: x
  condition: k8sres.deployment.name = web and ka.target.subresource = scale
  output: scaled %k8smeta.deployment.name of %k8smeta.ns.label[team], label %k8smeta.deployment.label[team]
  priority: NOTICE
  source: k8s_audit
- rule: Of a team
  desc: x
  condition: k8smeta.ns.label[team] = storefront and ka.target.subresource = log
  output: log of %k8smeta.owner.kind %k8smeta.owner.name, services %k8smeta.svc.name
  priority: NOTICE
  source: k8s_audit
`;
  const log = new URL("../golden/metacollector/events.jsonl", import.meta.url).pathname;
  const { hub, dir } = await start(t, (address, dir) => {
    writeFileSync(join(dir, "rules.yaml"), rules);
    writeFileSync(join(dir, "audit.log"), "");
    const [host, port] = address.split(":");
    return `plugins:
  - name: k8smeta
    library_path: libk8smeta.so
    init_config: { collectorHostname: "${host}", collectorPort: ${port}, nodename: node-1, verbosity: info }
  - name: k8saudit
    library_path: libk8saudit.so
    open_params: "${join(dir, "audit.log")}"
load_plugins: [k8smeta, k8saudit]
rules_files: ["${join(dir, "rules.yaml")}"]
k8saudit: { file: "${join(dir, "audit.log")}", follow: true }
webhook: { address: "${sink.url}/" }
`;
  });
  await until("everything is told", async () => (await readyz(hub.url)).status === 200);
  writeFileSync(join(dir, "audit.log"), readFileSync(log));
  await until("both rules fire", () => sink.count() >= 2);
  const outputs = sink.requests.map(({ body }) => String(JSON.parse(body).output).replace(/^\S+ \S+ /, ""));
  assert.deepEqual([...new Set(outputs)].sort(), [
    "log of DaemonSet agent, services <NA>",
    "scaled web of storefront, label storefront",
  ]);
});

test("a configuration that no collector can be asked with does not start, and says what is missing", async () => {
  const { dir, remove } = scratch();
  try {
    for (const [config, said] of [
      ["metadata: { collectors: [c1] }", /metadata\.nodes.*is missing/],
      ["metadata: { collectors: ['c1:x'], nodes: [n] }", /metadata\.collectors.*is not host:port/],
      ["metadata: { collectors: [c1], nodes: [n], cacertfile: /nowhere.pem }", /metadata\.cacertfile.*cannot be read/],
      ["enrich: { add: [k8smeta.pod.nme] }", /enrich\.add.*k8smeta\.pod\.nme: no such field/],
      ["enrich: { add: [k8smeta.ns.label] }", /enrich\.add.*needs an argument/],
      ["plugins: [{ name: k8smeta }]", /k8smeta\.init_config.*is missing/],
      ["plugins: [{ name: k8smeta, init_config: { collectorPort: 1 } }]", /init_config\.collectorhostname.*is missing/],
      [
        "plugins: [{ name: k8smeta, init_config: { collectorHostname: c, nodeName: n, caPEMBundle: /nowhere.pem } }]",
        /init_config\.capembundle.*cannot be read/,
      ],
    ] as const)
      await assert.rejects(startHub({ datadir: dir, config }), said, config);
  } finally {
    remove();
  }
});
