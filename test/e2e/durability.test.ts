import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { alertNumbers, falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { postAll } from "../support/post.ts";
import { type RedisServer, redisMissing, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

const numbersAt = (sink: { requests: readonly { body: string }[] }): Set<number> =>
  new Set(sink.requests.flatMap((r) => alertNumbers(r.body)));
const missing = (owed: readonly number[], got: Set<number>): number[] => owed.filter((n) => !got.has(n));

for (const driver of ["sqlite", "redis"] as const) {
  const skip = (driver === "redis" && redisMissing()) || false;
  describe(`queue driver ${driver}`, { skip }, () => {
    let redis: RedisServer | undefined;
    let env: Record<string, string> = {};
    before(async () => {
      if (driver === "sqlite") return;
      redis = await startRedis();
      env = { QUEUE_REDIS_URL: redis.url };
    });
    after(() => redis?.stop());

    test("kill -9 half-way through 2,000 accepted alerts and a sink at 20 ms loses none of them", async () => {
      const { dir, remove } = scratch();
      const sink = await openHttpSink();
      sink.always({ delayMs: 20 });
      const options = { datadir: dir, env, config: `webhook:\n  address: ${sink.url}/\n  maxconcurrentrequests: 4\n` };
      const first = await startHub(options);
      const { accepted, statuses } = await postAll(first.url, 2000, falcoAlert);
      assert.deepEqual(statuses, { 200: 2000 });
      await until("half is delivered", () => sink.count() >= 600);
      await first.stop("SIGKILL");
      assert.ok(missing(accepted, numbersAt(sink)).length > 0, "the kill came too late to prove anything");
      const second = await startHub(options);
      try {
        await until("the rest is delivered", () => missing(accepted, numbersAt(sink)).length === 0, 120_000);
        const extra = [...numbersAt(sink)].filter((n) => n < 0 || n >= 2000);
        assert.deepEqual(extra, []);
      } finally {
        await second.stop();
        await sink.close();
        remove();
      }
    });

    test("kill -9 while alerts are being posted loses none that was answered", async () => {
      const { dir, remove } = scratch();
      const sink = await openHttpSink();
      const options = { datadir: dir, env, config: `webhook:\n  address: ${sink.url}/\n` };
      const first = await startHub(options);
      const { accepted } = await postAll(first.url, 3000, falcoAlert, {
        progress: (answered) => {
          if (answered === 1000) first.child.kill("SIGKILL");
        },
      });
      assert.ok(accepted.length >= 900 && accepted.length < 3000);
      const second = await startHub(options);
      try {
        await until("all obligations are met", () => missing(accepted, numbersAt(sink)).length === 0, 120_000);
      } finally {
        await second.stop();
        await sink.close();
        remove();
      }
    });
  });
}

test("a Redis that is killed and restarted costs no alert and no refusal", {
  skip: redisMissing() ?? false,
}, async () => {
  const redis = await startRedis();
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  const hub = await startHub({
    datadir: dir,
    env: { QUEUE_REDIS_URL: redis.url },
    config: `webhook:\n  address: ${sink.url}/\n`,
  });
  try {
    let restarted: Promise<void> | undefined;
    const { accepted, statuses } = await postAll(hub.url, 4000, falcoAlert, {
      progress: (answered) => {
        if (answered === 1000) restarted = redis.kill().then(() => redis.start());
      },
    });
    await restarted;
    assert.deepEqual(statuses, { 200: 4000 });
    await until("all obligations are met", () => missing(accepted, numbersAt(sink)).length === 0, 120_000);
    const fresh = await postAll(hub.url, 1, () => falcoAlert(9999));
    assert.equal(fresh.accepted.length, 1);
    await until("a fresh alert flows", () => numbersAt(sink).has(9999));
  } finally {
    await hub.stop();
    await redis.stop();
    await sink.close();
    remove();
  }
});

test("an output that answers 500 holds up nobody and gets everything when it is back", async () => {
  const { dir, remove } = scratch();
  const broken = await openHttpSink();
  const healthy = await openHttpSink();
  broken.always({ status: 500 });
  const config = `webhook:
  - name: broken
    address: ${broken.url}/
    retry: { initial: 200ms, max: 1s }
  - name: healthy
    address: ${healthy.url}/
`;
  const hub = await startHub({ datadir: dir, config });
  try {
    const { accepted } = await postAll(hub.url, 500, falcoAlert);
    await until("the healthy output has everything", () => missing(accepted, numbersAt(healthy)).length === 0);
    assert.equal(healthy.count(), 500);
    await until("the broken one was tried", () => broken.count() > 0);
    broken.always({ status: 200 });
    const before = broken.count();
    await until("the broken output has caught up", () => {
      const after200 = new Set(broken.requests.slice(before).flatMap((r) => alertNumbers(r.body)));
      return missing(accepted, after200).length === 0;
    });
  } finally {
    await hub.stop();
    await Promise.all([broken.close(), healthy.close()]);
    remove();
  }
});

test("50,000 alerts behind a dead sink stay on disk: memory under 300 MiB", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink({ record: false });
  sink.always({ fault: "hang" });
  const hub = await startHub({ datadir: dir, config: `webhook:\n  address: ${sink.url}/\n` });
  try {
    let peak = 0;
    const { statuses } = await postAll(hub.url, 50_000, falcoAlert, {
      connections: 32,
      progress: (n) => {
        if (n % 1000 === 0) peak = Math.max(peak, hub.rss());
      },
    });
    assert.deepEqual(statuses, { 200: 50_000 });
    peak = Math.max(peak, hub.rss());
    assert.ok(peak < 300 * 2 ** 20, `peak resident memory ${(peak / 2 ** 20).toFixed(0)} MiB`);
  } finally {
    await hub.stop("SIGKILL");
    await sink.close();
    remove();
  }
});
