import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openHttpSink } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { postAll } from "../support/post.ts";
import { until } from "../support/until.ts";

const mib = 1024 * 1024;

test("a hub with five HTTP outputs stays under 150 MiB when idle, under 200 after first use", async (t) => {
  const sink = await openHttpSink();
  const { dir, remove } = scratch();
  t.after(async () => {
    await sink.close();
    remove();
  });
  const config = `
webhook:
  address: ${sink.url}/webhook
slack:
  webhookurl: ${sink.url}/slack
teams:
  webhookurl: ${sink.url}/teams
loki:
  hostport: ${sink.url}
alertmanager:
  hostport: ${sink.url}
`;
  const hub = await startHub({ datadir: dir, config });
  /** Over some seconds: a garbage collection may come late. */
  const highest = async (limit: number): Promise<void> => {
    let most = 0;
    for (let i = 0; i < 20; i++) {
      most = Math.max(most, hub.rss());
      await sleep(100);
    }
    t.diagnostic(`${Math.round(most / mib)} MiB`);
    assert.ok(most < limit * mib, `${Math.round(most / mib)} MiB`);
  };
  try {
    await highest(150);
    assert.deepEqual((await postAll(hub.url, 20, falcoAlert)).statuses, { 200: 20 });
    const addresses = () => new Set(sink.requests.map(({ url }) => url));
    await until("every output has sent", () => addresses().size === 5);
    await highest(200);
  } finally {
    await hub.stop();
  }
});
