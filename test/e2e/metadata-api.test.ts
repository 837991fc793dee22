import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeAuthority } from "../fakes/certificates.ts";
import { openHttpSink } from "../fakes/http-sink.ts";
import { type KubeApi, recordedObjects, refuse, startKubeApi } from "../fakes/kube-api.ts";
import { recorded, startMetacollector } from "../fakes/metacollector.ts";
import { falcoAlert } from "../support/alerts.ts";
import { type HubOptions, scratch, startHub } from "../support/hub-process.ts";
import { until } from "../support/until.ts";

/** A hub in a cluster: the API's address stands in its environment, its token and CA in files. */
const inCluster = async (t: TestContext, config: (files: string) => string, prepare?: (api: KubeApi) => void) => {
  const { dir, remove } = scratch();
  const authority = makeAuthority();
  const api = await startKubeApi(recordedObjects(), authority.server());
  api.token = "shown-token";
  prepare?.(api);
  const [token, ca] = [join(dir, "token"), join(dir, "ca.crt")];
  writeFileSync(token, "shown-token");
  writeFileSync(ca, authority.ca);
  const { hostname, port } = new URL(api.url);
  const options: HubOptions = {
    datadir: dir,
    config: config(`kubernetes: true, tokenfile: "${token}", apicacertfile: "${ca}"`),
    env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
  };
  const hub = await startHub(options);
  t.after(async () => {
    await hub.stop("SIGKILL");
    await api.close();
    remove();
  });
  const ready = () => until("it is ready", async () => (await fetch(`${hub.url}/readyz`)).status === 200);
  const metrics = async () => (await fetch(`${hub.url}/metrics`)).text();
  return { hub, api, token, ready, metrics };
};

const post = async (url: string, n: number, fields: object) => {
  const body = JSON.stringify({ ...falcoAlert(n), output_fields: fields });
  assert.equal((await fetch(url, { method: "POST", body })).status, 200);
};

test("a hub in a cluster asks its API with the service account, and alerts gain what it knows", async (t) => {
  const sink = await openHttpSink();
  t.after(() => sink.close());
  const { hub, api, token, ready, metrics } = await inCluster(
    t,
    (files) => `metadata: { ${files}, annotations: ["prometheus.io/scrape"] }
enrich: { add: ["k8smeta.owner.kind", "k8smeta.owner.name", "k8smeta.pod.node", "k8smeta.svc.name", "k8smeta.annotation[prometheus.io/scrape]"] }
webhook: { address: "${sink.url}/" }
`,
  );
  await ready();
  await post(hub.url, 1, { "container.id": "8962c1a5275f" });
  await post(hub.url, 2, { "k8s.ns.name": "shop", "k8s.pod.name": "nightly-29920506-l2q8d" });
  await until("both are there", () => sink.count() === 2);
  const fields = sink.requests.map(({ body }) => JSON.parse(body).output_fields);
  assert.deepEqual(fields, [
    {
      "container.id": "8962c1a5275f",
      "k8smeta.annotation[prometheus.io/scrape]": "true",
      "k8smeta.owner.kind": "Deployment",
      "k8smeta.owner.name": "api2",
      "k8smeta.pod.node": "node-1",
      "k8smeta.svc.name": ["api2"],
    },
    {
      "k8s.ns.name": "shop",
      "k8s.pod.name": "nightly-29920506-l2q8d",
      "k8smeta.owner.kind": "CronJob",
      "k8smeta.owner.name": "nightly",
      "k8smeta.pod.node": "node-1",
    },
  ]);
  assert.match(await metrics(), /^eyrie_metadata_resource_synced\{resource="cronjobs"\} 1$/m);

  // The token is rotated while the hub runs.
  api.token = "rotated";
  writeFileSync(token, "rotated");
  api.cut("dropped");
  await until("watched again", () => api.watches("pods") === 1 && api.watches("services") === 1);
  const web = { metadata: { uid: "new-pod", name: "new", namespace: "shop", labels: { app: "web" } }, spec: {} };
  api.put("pods", web);
  await until("the new pod is known", async () => /objects\{kind="Pod"\} 35$/m.test(await metrics()));
  await post(hub.url, 3, { "k8s.pod.uid": "new-pod" });
  await until("it is there", () => sink.count() === 3);
  assert.deepEqual(JSON.parse(sink.requests[2]?.body ?? "").output_fields["k8smeta.svc.name"].sort(), [
    "web",
    "web-lb",
    "web-nodeport",
  ]);
  assert.ok(!hub.output().includes("shown-token") && !hub.output().includes("rotated"));
});

test("an alert waits for its pod up to the bound, and what is forbidden holds up nothing else", async (t) => {
  const sink = await openHttpSink();
  t.after(() => sink.close());
  const { hub, api, ready, metrics } = await inCluster(
    t,
    (files) => `metadata: { ${files}, wait: 30s, readywithin: 1h }
enrich: { add: ["k8smeta.pod.name"] }
webhook: { address: "${sink.url}/" }
`,
    (api) => api.instead("cronjobs", (_, response) => refuse(response, 403, "Forbidden")),
  );
  await until("pods are watched", () => api.watches("pods") === 1);
  await post(hub.url, 1, { "k8s.pod.uid": "late" });
  api.put("pods", { metadata: { uid: "late", name: "late-pod", namespace: "shop" }, spec: {} });
  await until("it is there", () => sink.count() === 1);
  assert.equal(JSON.parse(sink.requests[0]?.body ?? "").output_fields["k8smeta.pod.name"], "late-pod");
  const text = await metrics();
  assert.match(text, /^eyrie_metadata_lookups_total\{outcome="found"\} 1$/m);
  assert.match(text, /^eyrie_metadata_resource_synced\{resource="cronjobs"\} 0$/m);
  // What nobody may read does not keep the hub from being ready.
  await ready();
  await until("it is named", () => /cronjobs: answered 403 Forbidden/.test(hub.output()));
});

test("collectors without nodes are asked for those that the API has, as they come and go", async (t) => {
  const collector = await startMetacollector([{ events: recorded("node-1").flatMap(({ events }) => events) }]);
  t.after(() => collector.close());
  const { api, ready, metrics } = await inCluster(
    t,
    (files) => `metadata: { ${files}, collectors: ["${collector.address}"] }\n`,
  );
  await ready();
  const nodes = () => collector.asked.map(({ nodeName }) => nodeName).sort();
  assert.deepEqual(nodes(), ["ip-172-31-99-99.attacker.example", "node-1", "node-2"]);
  assert.deepEqual([...new Set(api.asked.map(({ pathname }) => pathname))], ["/api/v1/nodes"]);
  await until("the nodes are watched", () => api.watches("nodes") === 1);
  api.put("nodes", { metadata: { uid: "n3", name: "node-3" } });
  await until("the new node is watched", () => nodes().includes("node-3"));
  assert.match(await metrics(), /^eyrie_metadata_synced\{collector="[^"]+",node="node-3"\}/m);
  api.remove("nodes", "n3");
  await until("it is watched no more", () => collector.open() === 3);
  assert.doesNotMatch(await metrics(), /node="node-3"/);
});

test("what the API cannot be asked with does not start, and says what is missing", async () => {
  const { dir, remove } = scratch();
  try {
    const [token, empty] = [join(dir, "token"), join(dir, "empty")];
    writeFileSync(token, "t");
    writeFileSync(empty, "\n");
    const outside = "kubernetes: true, apiserver: 'https://127.0.0.1:1'";
    for (const [metadata, said] of [
      ["kubernetes: true", /metadata\.kubernetes.*in no cluster.*set metadata\.apiserver/],
      ["kubernetes: true, apiserver: 'ftp://x'", /metadata\.apiserver/],
      [`${outside}, apicacertfile: ''`, /metadata\.tokenfile.*cannot be read \(ENOENT\)/],
      [`${outside}, apicacertfile: '', tokenfile: '${empty}'`, /metadata\.tokenfile.*holds no token/],
      [`${outside}, tokenfile: '${token}', apicacertfile: '${token}'`, /metadata\.apicacertfile.*not a PEM file/],
      [`kubernetes: true, apiserver: 'http://127.0.0.1:1', tokenfile: '${token}'`, /metadata\.tokenfile.*without TLS/],
      ["collectors: [c1]", /metadata\.nodes.*is missing/],
    ] as const)
      await assert.rejects(startHub({ datadir: dir, config: `metadata: { ${metadata} }` }), said, metadata);
  } finally {
    remove();
  }
});
