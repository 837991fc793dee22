import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openHttpSink } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { type HubProcess, scratch, startHub } from "../support/hub-process.ts";
import { redisMissing, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

const mib = 1024 * 1024;

/** Arrays of alerts, so that many come in a short time. */
const post = async (url: string, bodies: number, alerts: number, padding: number): Promise<void> => {
  for (let at = 0; at < bodies; at++) {
    const body = Array.from({ length: alerts }, (_, i) =>
      falcoAlert(at * alerts + i, { output_fields: { padding: `${at}-${i}`.padEnd(padding, "lorem ") } }),
    );
    const reply = await fetch(url, { method: "POST", body: JSON.stringify(body) });
    assert.equal(reply.status, 200, await reply.text());
  }
};

/** BullMQ leaves much garbage for each lane: what is held shows where there is little room for it. */
const smallHeap = { NODE_OPTIONS: "--max-old-space-size=160" };

for (const driver of ["sqlite", "redis"] as const)
  for (const { what, bodies, alerts, padding, config } of [
    { what: "small", bodies: 20, alerts: 500, padding: 200, config: "" },
    { what: "large", bodies: 8, alerts: 1, padding: 4 * mib, config: "limits: { maxalertbytes: 8000000 }\n" },
  ])
    test(`${driver}: forty hanging outputs take hardly more memory than one, with ${what} alerts, and hold up no healthy one`, {
      skip: driver === "redis" ? (redisMissing() ?? false) : false,
    }, async (t) => {
      const hanging = await openHttpSink({ record: false });
      hanging.always({ fault: "hang" });
      t.after(() => hanging.close());
      const peakWith = async (outputs: number): Promise<number> => {
        const { dir, remove } = scratch();
        const names = Array.from(
          { length: outputs },
          (_, i) => `  - { name: h${i}, address: "${hanging.url}/${i}" }\n`,
        );
        const written = join(dir, "healthy.jsonl");
        const healthy = () => (existsSync(written) ? readFileSync(written, "latin1").split("\n").length - 1 : 0);
        const text = `${config}webhook:\n${names.join("")}file: { filename: ${written} }\n`;
        const redis = driver === "redis" ? await startRedis() : undefined;
        const start = () =>
          startHub({ datadir: dir, config: text, env: { ...(redis && { QUEUE_REDIS_URL: redis.url, ...smallHeap }) } });
        let peak = 0;
        const watched = async (hub: HubProcess, work: Promise<unknown>) => {
          const watch = setInterval(() => (peak = Math.max(peak, hub.rss())), 50);
          await work.finally(() => clearInterval(watch));
        };
        let hub = await start();
        try {
          await post(hub.url, 1, 1, 1);
          await until("the healthy output is known to be", () => healthy() === 1);
          await watched(hub, post(hub.url, bodies, alerts, padding));
          await watched(
            hub,
            until("the healthy output has all", () => healthy() >= bodies * alerts + 1),
          );
          await hub.stop("SIGKILL");
          hub = await start();
          await watched(hub, sleep(2500));
        } finally {
          await hub.stop("SIGKILL");
          await redis?.stop();
          remove();
        }
        return peak / mib;
      };
      const peaks: number[] = [];
      for (const outputs of [1, 10, 40]) peaks.push(await peakWith(outputs));
      t.diagnostic(`peak MiB with 1, 10 and 40 hanging outputs: ${peaks.map(Math.round).join(", ")}`);
      const [one = 0, , forty = 0] = peaks;
      assert.ok(forty < 1.5 * one, peaks.join());
    });
