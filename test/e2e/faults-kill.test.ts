import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openHttpSink } from "../fakes/http-sink.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { openOracle } from "../support/oracle.ts";
import { until } from "../support/until.ts";

test("ten kills at random points under load: nothing lost, unknown or changed, repeats bounded", async (t) => {
  const kills = 10;
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  const inFlight = 8;
  const options = { datadir: dir, config: `webhook:\n  address: ${sink.url}/\n  maxconcurrentrequests: ${inFlight}\n` };
  const oracle = openOracle();
  let hub = await startHub(options);
  try {
    for (let life = 0; life < kills; life++) {
      const load = oracle.send(hub.url);
      await until("the load has begun", () => load.answered() > 20);
      await sleep(Math.random() * 400);
      await hub.stop("SIGKILL");
      const statuses = await load.stop();
      assert.deepEqual(Object.keys(statuses).sort(), ["200", "error"], `life ${life}`);
      hub = await startHub(options);
    }
    await until("all obligations are met", () => oracle.missing(sink.requests).length === 0);
    assert.equal(await hub.stop(), 0);
    const { lost, unknown, changed, repeated } = oracle.judge(sink.requests);
    t.diagnostic(
      `${oracle.promised.size} promised, ${sink.count()} delivered, ${repeated} repeated over ${kills} kills`,
    );
    assert.deepEqual({ lost, unknown, changed }, { lost: [], unknown: [], changed: [] });
    // What was in flight, and what had just been answered and was not yet written down as done.
    assert.ok(repeated <= kills * 100, `${repeated} repeats after ${kills} kills`);
  } finally {
    await hub.stop("SIGKILL");
    await sink.close();
    remove();
  }
});
