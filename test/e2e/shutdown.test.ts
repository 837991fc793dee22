import assert from "node:assert/strict";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { alertNumbers, falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { postAll } from "../support/post.ts";
import { redisMissing, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

test("SIGTERM delivers what is queued before it exits with 0", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  sink.always({ delayMs: 20 });
  const hub = await startHub({
    datadir: dir,
    config: `webhook:\n  address: ${sink.url}/\n  maxconcurrentrequests: 4\n`,
  });
  const { accepted } = await postAll(hub.url, 200, falcoAlert);
  assert.equal(await hub.stop("SIGTERM"), 0);
  const got = new Set(sink.requests.flatMap((r) => alertNumbers(r.body)));
  assert.deepEqual(
    accepted.filter((n) => !got.has(n)),
    [],
  );
  await sink.close();
  remove();
});

test("past the deadline the rest waits in the queue for the next start", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  sink.always({ fault: "hang" });
  const config = `shutdowntimeout: 500ms\nwebhook:\n  address: ${sink.url}/\n`;
  const first = await startHub({ datadir: dir, config });
  const { accepted } = await postAll(first.url, 50, falcoAlert);
  assert.equal(await first.stop("SIGTERM"), 0);
  sink.always({});
  const before = sink.count();
  const second = await startHub({ datadir: dir, config });
  await until("the next start delivers them", () => {
    const got = new Set(sink.requests.slice(before).flatMap((r) => alertNumbers(r.body)));
    return accepted.every((n) => got.has(n));
  });
  assert.equal(await second.stop(), 0);
  await sink.close();
  remove();
});

test("a second signal ends the hub at once", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  sink.always({ fault: "hang" });
  const hub = await startHub({ datadir: dir, config: `shutdowntimeout: 1h\nwebhook:\n  address: ${sink.url}/\n` });
  await postAll(hub.url, 5, falcoAlert);
  hub.child.kill("SIGTERM");
  await until("the first signal is heard", () => hub.output().includes("shutting down"));
  assert.equal(await hub.stop("SIGTERM"), 1);
  await sink.close();
  remove();
});

test("a destination that is down does not hold up the end: its alerts wait for the next start", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  sink.always({ fault: "close" });
  const config = `shutdowntimeout: 1h\nwebhook:\n  address: ${sink.url}/\n  retry: { initial: 10ms }\n`;
  const first = await startHub({ datadir: dir, config });
  const { accepted } = await postAll(first.url, 50, falcoAlert);
  await until("the breaker is open", async () =>
    (await (await fetch(`${first.url}/metrics`)).text()).includes('eyrie_breaker_state{output="webhook"} 2'),
  );
  assert.equal(await first.stop("SIGTERM"), 0);
  sink.always({});
  const before = sink.count();
  const second = await startHub({ datadir: dir, config });
  await until("the next start delivers them", () => {
    const got = new Set(sink.requests.slice(before).flatMap((r) => alertNumbers(r.body)));
    return accepted.every((n) => got.has(n));
  });
  assert.equal(await second.stop(), 0);
  await sink.close();
  remove();
});

test("SIGTERM while Redis is away ends in order, exit code 0", { skip: redisMissing() ?? false }, async () => {
  const redis = await startRedis();
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  const hub = await startHub({ datadir: dir, env: { QUEUE_REDIS_URL: redis.url, WEBHOOK_ADDRESS: sink.url } });
  await redis.kill();
  const { statuses } = await postAll(hub.url, 20, falcoAlert);
  assert.deepEqual(statuses, { 200: 20 });
  assert.equal(await hub.stop("SIGTERM"), 0);
  await redis.stop();
  await sink.close();
  remove();
});
