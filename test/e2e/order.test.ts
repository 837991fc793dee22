import assert from "node:assert/strict";
import { test } from "node:test";
import { openLoki } from "../fakes/loki.ts";
import { alertNumbers, falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { postAll } from "../support/post.ts";
import { until } from "../support/until.ts";

test("Loki has been away and the hub was killed twice: three hours of alerts come oldest first, one request at a time, and all stay", async () => {
  const { dir, remove } = scratch();
  const loki = await openLoki();
  loki.down(true);
  const count = 600;
  const from = Date.parse("2026-11-20T00:00:00Z");
  const alert = (n: number) =>
    falcoAlert(n, { hostname: "node-1", time: new Date(from + (n / count) * 3 * 3_600_000).toISOString() });
  const config = `loki: { hostport: "${loki.url}", maxconcurrentrequests: 16, retry: { initial: 20ms, max: 200ms }, breaker: { open: 100ms } }\n`;
  let hub = await startHub({ datadir: dir, config });
  try {
    const half = await postAll(hub.url, count / 2, alert, { connections: 1 });
    assert.equal(half.accepted.length, count / 2);
    assert.equal(await hub.stop("SIGKILL"), "SIGKILL");
    hub = await startHub({ datadir: dir, config });
    const rest = await postAll(hub.url, count / 2, (n) => alert(n + count / 2), { connections: 1 });
    assert.equal(rest.accepted.length, count / 2);
    const before = loki.count();
    await until("some attempts in vain", () => loki.count() >= before + 3);
    assert.equal(await hub.stop("SIGKILL"), "SIGKILL");
    hub = await startHub({ datadir: dir, config });
    loki.down(false);
    await until("all kept", () => loki.kept.length === count);
    assert.deepEqual(loki.kept.flatMap(alertNumbers), [...Array(count).keys()]);
    assert.equal(loki.mostInFlight(), 1);
    assert.equal(await hub.stop(), 0);
  } finally {
    await hub.stop("SIGKILL");
    await loki.close();
    remove();
  }
});
