import assert from "node:assert/strict";
import { after, describe, it, type TestContext } from "node:test";
import { pino } from "pino";
import loki from "../../outputs/loki/index.ts";
import { refusedEntries, unopenedStream } from "../../outputs/loki/refusals.ts";
import { openDelivery } from "../../src/deliver/chain.ts";
import { alertLines, encodeAlert } from "../../src/pipeline/codec.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { openRedisQueue } from "../../src/queue/redis/driver.ts";
import type { Alert } from "../../src/sdk/alert.ts";
import { instanceOf } from "../fakes/delivery.ts";
import { openLoki } from "../fakes/loki.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { folder, open as openEmbedded } from "../support/queue-embedded.ts";
import { redisMissing, startRedis } from "../support/redis.ts";
import { configOf } from "../support/senders.ts";
import { until } from "../support/until.ts";

const lane = "out:loki";
const from = Date.parse("2025-01-15T00:00:00Z");
/** The i-th of so many alerts over three hours, by turns of two rules, which are two streams. */
const alertAt = (i: number, count: number): Alert =>
  sampleAlert({
    uuid: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`,
    time: new Date(from + Math.floor((i / count) * 3 * 3_600_000)).toISOString(),
    rule: `rule ${i % 2}`,
    output: `alert-${String(i).padStart(6, "0")}-`,
  });

const noMetrics = { attempt() {}, retried() {}, dead() {}, omitted() {}, breaker() {}, listenerFailed() {} };

/** Loki's lane, consumed as the hub does it. */
const deliver = async (queue: Queue, hostport: string) => {
  const retry = { initialMs: 4, maxMs: 16 };
  const instance = instanceOf(loki, { maxconcurrentrequests: 16, retry, breaker: { failures: 1000, openMs: 5 } });
  const delivery = await openDelivery(
    { ...instance, config: configOf(loki, { hostport }) },
    {
      log: pino({ level: "silent" }),
      metrics: noMetrics,
      now: Date.now,
      random: Math.random,
      codec: alertLines,
      hub: { outputs: [], customfields: {}, templatedfields: {} },
    },
  );
  const consumer = queue.consume(lane, delivery.handle, delivery.parallel);
  return async (): Promise<void> => {
    await Promise.all([delivery.close(50), consumer.close(50)]);
  };
};

const drivers: Readonly<Record<string, { skip: string | false; open: (t: TestContext) => Promise<() => Queue> }>> = {
  sqlite: {
    skip: false,
    open: async (t) => {
      const dir = folder(t);
      return () => openEmbedded(dir);
    },
  },
  redis: {
    skip: redisMissing() ?? false,
    open: async (t) => {
      const redis = await startRedis();
      t.after(() => redis.stop());
      return () => openRedisQueue({ url: redis.url, now: Date.now });
    },
  },
};

for (const [name, { skip, open }] of Object.entries(drivers))
  describe(`loki over ${name}`, { skip }, () => {
    it("gets three hours of alerts oldest first after an outage and a restart, one request at a time, and keeps all", async (t) => {
      const count = 900;
      const fake = await openLoki();
      t.after(() => fake.close());
      const start = await open(t);
      let queue = start();
      fake.down(true);
      let stop = await deliver(queue, fake.url);
      for (let i = 0; i < count; i += 1) {
        const alert = alertAt(i, count);
        await queue.push([{ lane, id: alert.uuid, body: encodeAlert(alert), count: 1, at: Date.now() }]);
      }
      const refused = fake.count();
      await until("some attempts in vain", () => fake.count() > refused + 3);
      await stop();
      await queue.close();
      queue = start();
      stop = await deliver(queue, fake.url);
      await until("more attempts in vain", () => fake.count() > refused + 6);
      fake.down(false);
      await until("all kept", () => fake.kept.length === count);
      await until("an empty lane", async () => {
        const { waiting, active, delayed } = await queue.depth(lane);
        return waiting + active + delayed === 0;
      });
      assert.equal((await queue.depth(lane)).dead, 0);
      for (const rule of [0, 1]) {
        const stream = fake.kept.filter((line) => Number(line.slice(6, 12)) % 2 === rule);
        assert.deepEqual(stream, stream.toSorted());
      }
      assert.equal(fake.mostInFlight(), 1);
      await stop();
      await queue.close();
    });
  });

describe("what Loki does not take of a push", () => {
  const fakes: { close(): Promise<void> }[] = [];
  after(() => Promise.all(fakes.map((fake) => fake.close())));

  it("is a dead letter with Loki's words, and the rest is not sent again", async (t) => {
    const fake = await openLoki();
    fakes.push(fake);
    const queue = openEmbedded(folder(t));
    const { rule, source, priority, hostname, tags } = alertAt(0, 40);
    const labels = { hostname: hostname ?? "", k8s_ns_name: "prod", priority, rule, source, tags: tags.join(",") };
    fake.advance(labels, "2025-01-15T02:30:00Z");
    const alerts = Array.from({ length: 40 }, (_, i) => alertAt(i, 40));
    await queue.push([
      { lane, id: "c", body: alerts.map(encodeAlert).join("\n"), count: alerts.length, at: Date.now() },
    ]);
    const stop = await deliver(queue, fake.url);
    await until("all settled", async () => {
      const { waiting, active, delayed } = await queue.depth(lane);
      return waiting + active + delayed === 0;
    });
    // Of the stream that has gone on: what is more than an hour behind 02:30.
    const behind = alerts.filter((alert, i) => i % 2 === 0 && alert.time < "2025-01-15T01:30:00");
    const letters = await queue.dead(lane, 10);
    const dead = letters.flatMap(({ body }) => alertLines.decode(body).map(({ output }) => output));
    assert.deepEqual(
      dead,
      behind.map(({ output }) => output),
    );
    assert.match(letters[0]?.why ?? "", /^client_error: entry with timestamp .* too far behind/);
    assert.equal(fake.kept.filter((line) => line.startsWith("alert-")).length, alerts.length - behind.length);
    for (const { output } of alerts.filter((_, i) => i % 2 === 0)) assert.equal(fake.seen.get(output), 1, output);
    await stop();
    await queue.close();
  });

  it("waits alone when it is a stream that Loki does not open", async () => {
    const said =
      'Maximum active stream limit exceeded when trying to create stream {priority="Warning", rule="b", service_name="x"}, reduce the number of active streams, user: \'fake\'';
    const entries = [entry(1), entry(2, "b"), entry(3, "c"), entry(4, "b")];
    const named = entries.map(({ labels, ns }) => ({ labels: { ...labels, priority: "Warning" }, ns }));
    assert.deepEqual(unopenedStream(said, named), { refused: [1, 3], elsewhere: [0, 2] });
    assert.equal(unopenedStream("Ingestion rate limit exceeded", named), undefined);
  });

  const entry = (second: number, stream = "a") => ({ labels: { rule: stream }, ns: BigInt(second) * 1_000_000_000n });
  for (const [name, text, expected] of [
    [
      "named by their times",
      "entry with timestamp 1970-01-01 00:00:02 +0000 UTC ignored, reason: 'entry out of order' for stream: {rule=\"a\"},\ntotal ignored: 1 out of 3",
      { refused: [1], elsewhere: [3] },
    ],
    [
      "older than what is acceptable",
      "entry for stream '{rule=\"a\"}' has timestamp too old: 1970-01-01T00:00:01Z, oldest acceptable timestamp is: 1970-01-01T00:00:03Z",
      { refused: [0, 1], elsewhere: [3] },
    ],
    [
      "too new",
      "entry for stream '{rule=\"a\"}' has timestamp too new: 1970-01-01T00:00:03Z",
      { refused: [2], elsewhere: [3] },
    ],
    [
      "counted",
      'entry too far behind, total ignored: 2 out of 3 for stream: {rule="a", x="y"}',
      { refused: [0, 1], elsewhere: [3] },
    ],
    [
      "of no stream",
      "entry too far behind, oldest acceptable timestamp is: 1970-01-01T00:00:02Z",
      { refused: [0, 3], elsewhere: [] },
    ],
    ["about none", "error at least one label pair is required per stream", undefined],
    ["about nothing that is known", "entry out of order", undefined],
  ] as const)
    it(`is found when it is ${name}`, () => {
      assert.deepEqual(refusedEntries(text, [entry(1), entry(2), entry(3), entry(1, "b")]), expected);
    });
});
