import assert from "node:assert/strict";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { until } from "../support/until.ts";

const post = (url: string, body: unknown) => fetch(url, { method: "POST", body: JSON.stringify(body) });

test("an alert posted to a fresh hub reaches the webhook that the environment names", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  const hub = await startHub({ datadir: dir, env: { WEBHOOK_ADDRESS: `${sink.url}/alerts` } });
  try {
    const reply = await post(hub.url, falcoAlert(1));
    assert.equal(reply.status, 200);
    assert.equal(await reply.text(), "");
    await sink.received(1);
    const delivered = JSON.parse(sink.requests[0]?.body ?? "");
    assert.equal(sink.requests[0]?.url, "/alerts");
    assert.equal(delivered.rule, "Terminal shell in container");
    assert.equal(delivered.uuid, falcoAlert(1).uuid);
  } finally {
    assert.equal(await hub.stop(), 0);
    await sink.close();
    remove();
  }
});

test("without an output alerts are written to standard output, one readable line each", async () => {
  const { dir, remove } = scratch();
  const hub = await startHub({ datadir: dir });
  try {
    await post(hub.url, falcoAlert(7, { output: "line one\nline two" }));
    await until("the alert is printed", () =>
      /Warning .*Terminal shell in container: line one\\nline two\n/.test(hub.output()),
    );
  } finally {
    assert.equal(await hub.stop(), 0);
    remove();
  }
});

test("/test sends an alert to every output and /metrics counts it under falcosidekick's names", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  const config = `webhook:\n  address: ${sink.url}/\n  minimumpriority: critical\n`;
  const hub = await startHub({ datadir: dir, config });
  try {
    // A sender that names its rule so passes nothing by that.
    const forged = { ...falcoAlert(1), rule: "Test rule", priority: "Debug", source: "internal" };
    assert.equal((await post(hub.url, forged)).status, 200);
    assert.equal((await post(`${hub.url}/test`, {})).status, 200);
    await sink.received(1);
    assert.equal(sink.count(), 1);
    assert.match(sink.requests[0]?.body ?? "", /This is a test from falcosidekick/);
    assert.equal(JSON.parse(sink.requests[0]?.body ?? "").rule, "Test rule");
    await until("the delivery is counted", async () => {
      const metrics = await (await fetch(`${hub.url}/metrics`)).text();
      return metrics.includes('falcosecurity_falcosidekick_outputs_total{destination="webhook",status="ok"} 1');
    });
  } finally {
    assert.equal(await hub.stop(), 0);
    await sink.close();
    remove();
  }
});

test("a configuration with faults stops the start and every one of them is named with its line", async () => {
  const { dir, remove } = scratch();
  const config = "queue: { driver: mongodb }\nslack:\n  webhookurl: not a url\n  minimumpriorty: warning\n";
  await assert.rejects(startHub({ datadir: dir, config }), (error: Error) => {
    assert.match(error.message, /yaml:1:\d+: queue\.driver/);
    assert.match(error.message, /yaml:3:\d+: slack\.webhookurl/);
    assert.match(error.message, /yaml:4:\d+: slack\.minimumpriorty.*minimumpriority/);
    return true;
  });
  remove();
});

test("a port in use is a clear error and exit code 1", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  await assert.rejects(startHub({ datadir: dir, env: { LISTENPORT: String(sink.port) } }), (error: Error) =>
    error.message.includes("EADDRINUSE"),
  );
  await sink.close();
  remove();
});
