import assert from "node:assert/strict";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { openOracle } from "../support/oracle.ts";
import { harm } from "../support/queue-damage.ts";
import { until } from "../support/until.ts";

test("damage found at a start: the rest is delivered, what is lost is told to the alert, until the original is deleted", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  sink.always({ status: 500 });
  const options = { datadir: dir, config: `webhook:\n  address: ${sink.url}/\n  breaker: { open: 200ms }\n` };
  let hub = await startHub(options);
  const oracle = openOracle();
  const queue = join(dir, "data", "queue");
  const metric = async (name: string) => {
    const text = await (await fetch(`${hub.url}/metrics`)).text();
    return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  };
  const ready = async () => ((await (await fetch(`${hub.url}/readyz`)).json()) as { reasons: string[] }).reasons.join();
  try {
    const load = oracle.send(hub.url);
    await until("a backlog", () => load.answered() > 3000, 30_000);
    await load.stop();
    assert.equal(await hub.stop(), 0);
    // After an orderly end everything stands in the file: its bodies are in the second half, too.
    const file = join(queue, "queue.db");
    for (const share of [0.6, 0.8]) harm(file, Math.floor((statSync(file).size * share) / 8192) * 8192, 8192, 7);
    const before = sink.count();
    sink.always({});
    hub = await startHub(options);
    const later = () => sink.requests.slice(before);
    const fresh = await fetch(hub.url, { method: "POST", body: JSON.stringify(falcoAlert(2e6)) });
    assert.equal(fresh.status, 200);
    await until("a fresh alert is delivered", () => later().some((r) => r.body.includes("alert-2000000-")), 15_000);
    await until("the original is read", async () => /were saved/.test(await ready()), 15_000);
    assert.match(await ready(), /queue\.db\.corrupt-\d+ \(\d+ bytes\) until it is deleted/);
    assert.match(hub.output(), /were saved, \d+ events could not be read/);
    const lost = await metric("eyrie_queue_lost_events");
    await until("everything else is delivered", () => oracle.missing(later()).length === lost, 30_000);
    assert.ok(lost > 0, "the damage was felt");
    assert.ok((await metric("eyrie_queue_damaged_bytes")) > 0);
    for (const name of readdirSync(queue)) if (name.includes(".corrupt-")) rmSync(join(queue, name));
    await until("the warning ends", async () => (await metric("eyrie_queue_damaged_bytes")) === 0, 10_000);
    assert.doesNotMatch(await ready(), /corrupt/);
    assert.equal(await hub.stop(), 0);
  } finally {
    await hub.stop("SIGKILL");
    await sink.close();
    remove();
  }
});
