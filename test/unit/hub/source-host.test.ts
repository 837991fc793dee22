import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pino } from "pino";
import { outputs } from "../../../outputs/index.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { startHub } from "../../../src/hub/start.ts";
import { flag } from "../../../src/sdk/fields.ts";
import { defineSource, type SourceHost } from "../../../src/sdk/source.ts";
import { openHttpSink } from "../../fakes/http-sink.ts";
import { falcoAlert } from "../../support/alerts.ts";
import { scratch } from "../../support/hub-process.ts";

/** A source that does nothing but hand its host to the test. */
const lending = () => {
  const lent = Promise.withResolvers<SourceHost>();
  const source = defineSource({
    name: "lent",
    about: "Lends its host.",
    fields: { enabled: flag("On.") },
    example: { enabled: true },
    enabled: ({ enabled }) => enabled,
    open: async (_config, host) => {
      lent.resolve(host);
      return { close: async () => {} };
    },
  });
  return { source, host: lent.promise };
};

const openHub = async (datadir: string, options: readonly string[]) => {
  const { source, host } = lending();
  const overrides = ["lent.enabled=true", "listenport=0", "listenaddress=127.0.0.1", `datadir=${datadir}`, ...options];
  const { config, problems } = loadConfig({ env: {}, overrides, outputs, sources: [source] });
  assert.deepEqual(problems, []);
  const log = pino({ level: "silent" });
  const parts = { log, now: Date.now, random: Math.random, uuid: randomUUID, version: "0" };
  const hub = await startHub(config, parts);
  return { hub, host: await host, url: hub.addresses[0] ?? "" };
};

test("alerts of a source go where posted ones go, with what the hub adds, and are counted as the source's", async (t) => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  t.after(() => sink.close());
  const { hub, host, url } = await openHub(dir, [`webhook.address=${sink.url}`, "customfields.site=north"]);
  try {
    const [posted, brought] = ["posted", "brought"].map((rule) => falcoAlert(1, { rule }));
    const reply = await fetch(url, { method: "POST", body: JSON.stringify(posted) });
    assert.equal(reply.status, 200);
    const text = `${JSON.stringify(brought)}\n"no alert"\n`;
    const { accepted, rejected } = await host.alerts(text);
    assert.equal(accepted, 1);
    assert.deepEqual(
      rejected.map(({ index }) => index),
      [1],
    );
    await sink.received(2);
    const bodies = sink.requests.map(({ body }) => JSON.parse(body));
    const [one, other] = ["posted", "brought"].map((rule) => bodies.find((body) => body.rule === rule));
    assert.deepEqual({ ...other, rule: "posted" }, one);
    assert.equal(other.output_fields.site, "north");
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /^falcosecurity_falcosidekick_inputs_total\{source="lent",status="accepted"\} 1$/m);
    assert.match(metrics, /^falcosecurity_falcosidekick_inputs_total\{source="lent",status="rejected"\} 1$/m);
  } finally {
    await hub.close(5000);
    remove();
  }
});

test("a text of alerts that the door would refuse for its weight is refused to a source, and nothing of it is read", async () => {
  const { dir, remove } = scratch();
  const { hub, host } = await openHub(dir, ["stdout.enabled=false"]);
  try {
    const { accepted, rejected } = await host.alerts(`[${"[],".repeat(1_000_000)}[]]`);
    assert.equal(accepted, 0);
    assert.match(rejected[0]?.reason ?? "", /more than 1000000 values/);
  } finally {
    await hub.close(5000);
    remove();
  }
});

test("a process's own checkpoint and that of its lease are two", async () => {
  const { dir, remove } = scratch();
  const { hub, host } = await openHub(dir, []);
  try {
    await host.checkpoint.set("at", "mine");
    const token = await new Promise<number>((resolve, reject) => {
      host.lease(async (lease) => {
        if ((await lease.checkpoint.get("at")) !== undefined) reject(new Error("they share a file"));
        await lease.checkpoint.set("at", "ours");
        resolve(lease.token);
      });
    });
    assert.ok(token > 0);
    const folder = join(dir, "checkpoints");
    assert.deepEqual(JSON.parse(readFileSync(join(folder, "lent.json"), "utf8")), { at: "mine" });
    assert.deepEqual(JSON.parse(readFileSync(join(folder, "lent@lease.json"), "utf8")), { at: "ours" });
  } finally {
    await hub.close(5000);
    remove();
  }
});
