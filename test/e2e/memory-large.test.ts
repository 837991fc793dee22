/** Alerts of 20 MB in a process with a heap of 512 MB: it lives, keeps them and delivers them, whatever the destination does. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { alertNumbers, falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { redisMissing, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

const mib = 1024 * 1024;
const alerts = 8;

/** Does not shrink. */
const large = (n: number) =>
  JSON.stringify(falcoAlert(n, { output_fields: { noise: randomBytes(15 * mib).toString("base64") } }));

for (const driver of ["sqlite", "redis"] as const)
  test(`${driver}: ${alerts} alerts of 20 MB for three hanging outputs, five kills and a heap of 512 MB make no dead letter, and all are delivered in the end`, {
    skip: driver === "redis" ? (redisMissing() ?? false) : false,
  }, async (t) => {
    const redis = driver === "redis" ? await startRedis() : undefined;
    const { dir, remove } = scratch();
    const sink = await openHttpSink({ record: false });
    const got = ["/0", "/1", "/2"].map(() => new Set<number>());
    let hangs = true;
    sink.always(({ url, body }) => {
      if (hangs) return { fault: "hang" };
      for (const n of alertNumbers(body.slice(0, 1000))) got[Number(url.slice(1))]?.add(n);
      return {};
    });
    const outputs = got.map(
      (_, i) => `  - { name: h${i}, address: "${sink.url}/${i}", retry: { initial: 100ms, max: 1s } }\n`,
    );
    const config = `limits: { maxalertbytes: 30000000 }\nwebhook:\n${outputs.join("")}`;
    const env = { NODE_OPTIONS: "--max-old-space-size=512", ...(redis && { QUEUE_REDIS_URL: redis.url }) };
    const start = () => startHub({ datadir: dir, config, env });
    let hub = await start();
    let peak = 0;
    const watch = setInterval(() => {
      if (hub.child.exitCode === null && hub.child.signalCode === null) peak = Math.max(peak, hub.rss() || 0);
    }, 50);
    try {
      for (let n = 0; n < alerts; n++) {
        const reply = await fetch(hub.url, { method: "POST", body: large(n) });
        assert.equal(reply.status, 200, await reply.text());
      }
      for (let death = 0; death < 5; death++) {
        const seen = sink.count();
        // What was in hand on Redis is locked for a while: others come in between.
        await until("something is in hand", () => sink.count() > seen);
        assert.equal(await hub.stop("SIGKILL"), "SIGKILL", hub.output());
        hub = await start();
      }
      hangs = false;
      await until(
        "all are delivered",
        () => {
          assert.deepEqual([hub.child.exitCode, hub.child.signalCode], [null, null], hub.output());
          return got.every((some) => some.size === alerts);
        },
        240_000,
      );
      assert.deepEqual(await (await fetch(`${hub.url}/api/v1/dead-letters`)).json(), { deadLetters: [] });
      t.diagnostic(`peak MiB: ${Math.round(peak / mib)}`);
    } finally {
      clearInterval(watch);
      await hub.stop("SIGKILL");
      await sink.close();
      await redis?.stop();
      remove();
    }
  });
