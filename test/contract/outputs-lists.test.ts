import assert from "node:assert/strict";
import { describe, it } from "node:test";
import alertmanager from "../../outputs/alertmanager.ts";
import datadog from "../../outputs/datadog.ts";
import { outputs } from "../../outputs/index.ts";
import influxdb from "../../outputs/influxdb.ts";
import loki from "../../outputs/loki/index.ts";
import { createMetrics } from "../../src/metrics/metrics.ts";
import type { Output } from "../../src/sdk/output.ts";
import { bulkAnswer } from "../fakes/answers.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { send } from "../support/output-sends.ts";

/** As the rules for audit events make them. */
const fields = {
  "ka.req.pod.containers.image": ["nginx:1", "redis, the second"],
  "ka.req.pod.containers.privileged": ["true", "false"],
  "ka.sourceips": ["10.0.0.1"],
  "ka.target.name": "web",
  "ka.target.namespace": "shop",
  "ka.target.resource": "pods",
  empty: [],
  mixed: ["x", 1, null, ["y"]],
} as const;
const alert = sampleAlert({ source: "k8s_audit", output_fields: fields, added: ["ka.sourceips"] });

const sentBy = async (output: Output, settings: (url: string) => object, more: object = {}) => {
  const { received } = await send(
    output,
    (url) => ({ ...(settings(url) as Record<string, unknown>), ...more }),
    [alert],
    ({ path, body }) => (path === "/_bulk" ? bulkAnswer(body) : { status: 200 }),
  );
  return received[0]?.body ?? "";
};

/** Settings that lead to the sink: the example with its address. */
const exampleAt = (output: Output) => (url: string) =>
  JSON.parse(JSON.stringify(output.example).replaceAll(/https?:\/\/127\.0\.0\.1:\d+/g, url)) as object;

describe("lists of an alert", () => {
  for (const output of outputs.filter(({ category }) => category === "chat")) {
    if (!("allfields" in output.fields)) {
      it(`${output.name} shows beside all other fields, as it always did`, async () => {
        const body = (await sentBy(output, exampleAt(output))).replaceAll("\\\\", "");
        for (const text of ["nginx:1, redis, the second", "true, false", "10.0.0.1", "mixed"])
          assert.ok(body.includes(text), text);
      });
      continue;
    }

    it(`${output.name} shows as rows`, async () => {
      const body = await sentBy(output, exampleAt(output));
      for (const text of ["nginx:1, redis, the second", "true, false", "10.0.0.1", '"mixed"'])
        assert.ok(body.includes(text), text);
      assert.doesNotMatch(body, /"empty"/);
    });

    it(`${output.name} leaves out with allfields: false, as falcosidekick does`, async () => {
      const body = await sentBy(output, exampleAt(output), { allfields: false });
      assert.doesNotMatch(body, /nginx|mixed/);
      assert.match(body, /"web|```web/);
    });
  }

  it("are labels in Alertmanager and Loki, tags in Influx, one tag an item in Datadog", async () => {
    const [{ labels }] = JSON.parse(await sentBy(alertmanager, (url) => ({ hostport: [url] }))) as [
      { labels: Record<string, string> },
    ];
    assert.equal(labels.ka_req_pod_containers_image, "nginx:1, redis, the second");
    assert.equal(labels.ka_sourceips, "10.0.0.1");
    const made = await sentBy(loki, (hostport) => ({ hostport, extralabels: "ka.req.pod.containers.privileged" }));
    const { stream } = (JSON.parse(made) as { streams: [{ stream: Record<string, string> }] }).streams[0];
    assert.deepEqual([stream.ka_req_pod_containers_privileged, stream.ka_sourceips], ["true,false", "10.0.0.1"]);
    const point = await sentBy(influxdb, (hostport) => ({ hostport }));
    assert.match(point, /,ka\.req\.pod\.containers\.image=nginx:1\\,_redis\\,_the_second,/);
    const { tags } = JSON.parse(await sentBy(datadog, (host) => ({ host, apikey: "k" }))) as { tags: string[] };
    assert.ok(tags.includes("ka.req.pod.containers.image:nginx:1"));
    assert.ok(tags.includes("ka.req.pod.containers.image:redis, the second"));
  });
});

describe("falco_events_total", () => {
  const labelsOf = async (output_fields: object, extralabels: string[] = []) => {
    const metrics = createMetrics({
      process: false,
      now: () => 0,
      labels: { customfields: [], templatedfields: [], extralabels },
    });
    metrics.event(sampleAlert({ output_fields: output_fields as typeof fields }));
    const line = /^falcosecurity_falcosidekick_falco_events_total\{(.*)\} 1$/m.exec(await metrics.expose())?.[1] ?? "";
    return Object.fromEntries([...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  };

  it("knows namespace and pod of audit alerts, and a list as a label", async () => {
    const labels = await labelsOf(fields, ["ka.req.pod.containers.privileged"]);
    assert.deepEqual(
      [labels.k8s_ns_name, labels.k8s_pod_name, labels.ka_req_pod_containers_privileged],
      ["shop", "web", "true,false"],
    );
  });

  for (const [name, output_fields, pod] of [
    ["a target that is no pod", { "ka.target.name": "cm", "ka.target.resource": "configmaps" }, ""],
    ["a rule that says nothing of the resource", { "ka.target.name": "x" }, ""],
    [
      "a rule that shows a pod without its resource",
      { "ka.target.name": "web", "ka.req.pod.host_network": "true" },
      "web",
    ],
    [
      "a pod whose name the server made",
      { "ka.target.name": null, "ka.target.pod.name": "web-1", "ka.target.resource": "pods" },
      "web-1",
    ],
    ["a kernel alert", { "k8s.pod.name": "web-2", "ka.target.name": "x", "ka.target.resource": "pods" }, "web-2"],
  ] as const)
    it(`takes the pod from ${name}: ${pod || "none"}`, async () => {
      assert.equal((await labelsOf(output_fields)).k8s_pod_name, pod);
    });
});
