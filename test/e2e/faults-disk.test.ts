import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { openOracle } from "../support/oracle.ts";
import { redisMissing, startRedis } from "../support/redis.ts";
import { smallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";

test("a full disk refuses with 503 and Retry-After, keeps what was promised, and recovers without a restart", async (t) => {
  const disk = smallDisk(t, 24 * 1024);
  if (!disk) return;
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  sink.always({ fault: "hang" });
  const filler = join(disk, "filler");
  writeFileSync(filler, Buffer.alloc(4 * 2 ** 20));
  const config = `webhook:\n  address: ${sink.url}/\n  timeout: 1s\n  retry: { max: 1s }\n  breaker: { open: 500ms }\n`;
  const hub = await startHub({ datadir: dir, config, env: { DATADIR: join(disk, "data") } });
  const oracle = openOracle();
  try {
    const load = oracle.send(hub.url);
    await until("the disk is full", () => (load.statuses[503] ?? 0) > 50);
    const statuses = await load.stop();
    assert.deepEqual(Object.keys(statuses).sort(), ["200", "503"]);
    // The hub goes on making room: for a few alerts there may be some again, until they have taken it.
    await until("a refusal says when to come back, and the hub is not ready", async () => {
      const refused = await fetch(hub.url, { method: "POST", body: JSON.stringify(falcoAlert(1e6)) });
      if (refused.status !== 503) return false;
      assert.ok(Number(refused.headers.get("retry-after")) > 0);
      return (await fetch(`${hub.url}/readyz`)).status === 503;
    });
    assert.equal((await fetch(`${hub.url}/healthz`)).status, 200);

    rmSync(filler);
    const fresh = async () => (await fetch(hub.url, { method: "POST", body: JSON.stringify(falcoAlert(2e6)) })).status;
    await until("alerts are taken again", async () => (await fresh()) === 200, 15_000);
    await until("readiness is back", async () => (await fetch(`${hub.url}/readyz`)).status === 200);
    const before = sink.count();
    sink.always({});
    const later = () => sink.requests.slice(before);
    await until("all obligations are met", () => oracle.missing(later()).length === 0);
    await until("a fresh alert flows", () => later().some((r) => r.body.includes("alert-2000000-")));
    assert.equal(await hub.stop(), 0);
  } finally {
    await hub.stop("SIGKILL");
    await sink.close();
    remove();
  }
});

test("a Redis that is out of memory costs no refusal and no alert: the local disk takes them until there is room", {
  skip: redisMissing() ?? false,
}, async () => {
  const redis = await startRedis(["--appendonly", "yes", "--maxmemory", "3mb", "--maxmemory-policy", "noeviction"]);
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  sink.always({ fault: "hang" });
  const config = `webhook:\n  address: ${sink.url}/\n  timeout: 1s\n  retry: { max: 1s }\n  breaker: { open: 500ms }\n`;
  const hub = await startHub({ datadir: dir, config, env: { QUEUE_REDIS_URL: redis.url } });
  const oracle = openOracle();
  const spilled = async () => {
    const metrics = await (await fetch(`${hub.url}/metrics`)).text();
    return Number(/^eyrie_spill_events (\d+)$/m.exec(metrics)?.[1]);
  };
  try {
    const load = oracle.send(hub.url);
    await until("alerts spill to the disk", async () => (await spilled()) > 200);
    assert.deepEqual(Object.keys(await load.stop()), ["200"]);
    assert.match(await redis.command("CONFIG SET maxmemory 0"), /OK/);
    sink.always({});
    const before = sink.count();
    await until("all obligations are met", () => oracle.missing(sink.requests.slice(before)).length === 0);
    await until("the disk is drained", async () => (await spilled()) === 0);
    const { lost, unknown, changed } = oracle.judge(sink.requests);
    assert.deepEqual({ lost, unknown, changed }, { lost: [], unknown: [], changed: [] });
  } finally {
    await hub.stop("SIGKILL");
    await redis.stop();
    await sink.close();
    remove();
  }
});

test("a frozen Redis delays no sender beyond its time limit and costs no alert", {
  skip: redisMissing() ?? false,
}, async () => {
  const redis = await startRedis();
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  const config = `webhook:\n  address: ${sink.url}/\n`;
  const hub = await startHub({ datadir: dir, config, env: { QUEUE_REDIS_URL: redis.url } });
  const oracle = openOracle();
  try {
    const load = oracle.send(hub.url);
    await until("the load has begun", () => load.answered() > 200);
    redis.freeze();
    const frozenAt = load.answered();
    await until("alerts are taken while Redis is frozen", () => load.answered() > frozenAt + 500, 15_000);
    redis.thaw();
    assert.deepEqual(Object.keys(await load.stop()), ["200"]);
    await until("all obligations are met", () => oracle.missing(sink.requests).length === 0);
    const { lost, unknown, changed } = oracle.judge(sink.requests);
    assert.deepEqual({ lost, unknown, changed }, { lost: [], unknown: [], changed: [] });
    assert.equal(await hub.stop(), 0);
  } finally {
    redis.thaw();
    await hub.stop("SIGKILL");
    await redis.stop();
    await sink.close();
    remove();
  }
});
