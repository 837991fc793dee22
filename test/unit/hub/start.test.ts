import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { pino } from "pino";
import { outputs } from "../../../outputs/index.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { startHub } from "../../../src/hub/start.ts";
import { openClient } from "../../../src/pipeline/enrich/collector/client.ts";
import { flag } from "../../../src/sdk/fields.ts";
import { defineSource, type OpenSource } from "../../../src/sdk/source.ts";
import { startMetacollector } from "../../fakes/metacollector.ts";
import { scratch } from "../../support/hub-process.ts";
import { until } from "../../support/until.ts";

/** A hub whose only source opens so. */
const start = (datadir: string, open: () => Promise<OpenSource>, options: readonly string[] = []) => {
  const source = defineSource({
    name: "bad",
    about: "Behaves badly.",
    fields: { enabled: flag("On.") },
    example: { enabled: true },
    enabled: ({ enabled }) => enabled,
    open,
  });
  const overrides = ["bad.enabled=true", "listenport=0", "listenaddress=127.0.0.1", `datadir=${datadir}`, ...options];
  const { config, problems } = loadConfig({ env: {}, overrides, outputs, sources: [source] });
  assert.deepEqual(problems, []);
  const parts = { log: pino({ level: "silent" }), now: Date.now, random: Math.random, uuid: randomUUID, version: "0" };
  return startHub(config, parts);
};

test("a hub whose folder is taken asks no collector any more when it has failed to start", async (t) => {
  const { dir, remove } = scratch();
  const collector = await startMetacollector([{ events: [] }]);
  const other = await openClient(collector.address, undefined);
  const source = async () => ({ close: async () => {} });
  const hub = await start(dir, source);
  t.after(async () => {
    await hub.close(1000);
    other.close();
    collector.close();
    remove();
  });
  const options = [`metadata.collectors=${collector.address}`, "metadata.nodes=node-1"];
  await assert.rejects(start(dir, source, options), /another process uses/);
  // Whoever comes behind the hub is heard behind it.
  const stream = other.watch({ nodeName: "node-2", resourceKinds: {} });
  stream.on("error", () => {});
  await until("the other is heard", () => collector.asked.some(({ nodeName }) => nodeName === "node-2"));
  await until("only the other is open", () => collector.open() === 1, 5000);
  stream.cancel();
});

test("a source that fails to close keeps nothing else open", async (t) => {
  const { dir, remove } = scratch();
  t.after(remove);
  const close = () => Promise.reject(new Error("it cannot close"));
  const hub = await start(dir, async () => ({ close }));
  await hub.close(1000);
  const next = await start(dir, async () => ({ close: async () => {} }));
  await next.close(1000);
});
