import assert from "node:assert/strict";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { alertNumbers, falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { postAll } from "../support/post.ts";
import { redisMissing, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

test("an intake and two workers share one Redis: what one takes the others deliver", {
  skip: redisMissing() ?? false,
}, async () => {
  const redis = await startRedis();
  const { dir, remove } = scratch();
  const other = scratch();
  const sink = await openHttpSink();
  const config = `webhook:\n  address: ${sink.url}/\n`;
  const env = { QUEUE_REDIS_URL: redis.url };
  const hubs = await Promise.all([
    startHub({ datadir: dir, env, config, args: ["--role", "intake"] }),
    startHub({ datadir: dir, env, config, args: ["--role", "worker"] }),
    startHub({ datadir: other.dir, env, config, args: ["--role", "worker"] }),
  ]);
  const [intake, worker] = hubs;
  try {
    const { statuses } = await postAll(intake.url, 500, falcoAlert);
    assert.deepEqual(statuses, { 200: 500 });
    await until(
      "everything is delivered",
      () => new Set(sink.requests.flatMap((r) => alertNumbers(r.body))).size === 500,
    );
    assert.equal(sink.count(), 500);
    const refused = await fetch(worker.url, { method: "POST", body: JSON.stringify(falcoAlert(1)) });
    assert.equal(refused.status, 503);
    assert.match(((await refused.json()) as { error: string }).error, /worker/);
  } finally {
    for (const hub of hubs) assert.equal(await hub.stop(), 0);
    await redis.stop();
    await sink.close();
    remove();
    other.remove();
  }
});

test("a role of its own needs Redis, and says so", async () => {
  const { dir, remove } = scratch();
  await assert.rejects(startHub({ datadir: dir, args: ["--role", "worker"] }), (error: Error) =>
    /role.*queue\.redis\.url/.test(error.message),
  );
  remove();
});

test("a Redis that may forget is called so: readiness 503 with the reason, and a metric", {
  skip: redisMissing() ?? false,
}, async () => {
  const redis = await startRedis(["--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb"]);
  const { dir, remove } = scratch();
  const hub = await startHub({ datadir: dir, env: { QUEUE_REDIS_URL: redis.url } });
  try {
    await until("readiness tells", async () => (await fetch(`${hub.url}/readyz`)).status === 503);
    const { reasons } = (await (await fetch(`${hub.url}/readyz`)).json()) as { reasons: string[] };
    assert.ok(
      reasons.some((r) => /evict|noeviction/.test(r)),
      String(reasons),
    );
    assert.match(await (await fetch(`${hub.url}/metrics`)).text(), /eyrie_queue_durable 0/);
    assert.equal((await fetch(`${hub.url}/healthz`)).status, 200);
    await until("the log tells", () => /NOT durable/.test(hub.output()));
  } finally {
    await hub.stop();
    await redis.stop();
    remove();
  }
});
