import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openHttpSink } from "../fakes/http-sink.ts";
import { alertNumbers, falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { postAll } from "../support/post.ts";
import { freePort, redisMissing, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

for (const driver of ["sqlite", "redis"] as const)
  test(`${driver}: six kills while the only destination hangs or its port is closed make no dead letter`, {
    skip: driver === "redis" ? (redisMissing() ?? false) : false,
  }, async () => {
    const redis = driver === "redis" ? await startRedis() : undefined;
    const { dir, remove } = scratch();
    const sink = await openHttpSink();
    sink.always({ fault: "hang" });
    const closed = `http://127.0.0.1:${await freePort()}`;
    const start = (address: string) =>
      startHub({
        datadir: dir,
        config: `webhook:\n  address: ${address}/\n  retry: { initial: 50ms, max: 200ms }\n`,
        env: { ...(redis && { QUEUE_REDIS_URL: redis.url }) },
      });
    let hub = await start(sink.url);
    try {
      const { accepted } = await postAll(hub.url, 120, falcoAlert);
      assert.equal(accepted.length, 120);
      for (let death = 0, seen = 0; death < 6; death++) {
        if (death % 2 === 0) await until("something is in hand", () => sink.count() > seen);
        else await sleep(200);
        await hub.stop("SIGKILL");
        seen = sink.count();
        hub = await start(death % 2 === 0 ? closed : sink.url);
      }
      await hub.stop("SIGKILL");
      sink.always({});
      const from = sink.count();
      hub = await start(sink.url);
      await until("all are delivered", () => {
        const got = new Set(sink.requests.slice(from).flatMap((r) => alertNumbers(r.body)));
        return accepted.every((n) => got.has(n));
      });
      assert.deepEqual(await (await fetch(`${hub.url}/api/v1/dead-letters`)).json(), { deadLetters: [] });
    } finally {
      await hub.stop("SIGKILL");
      await sink.close();
      await redis?.stop();
      remove();
    }
  });
