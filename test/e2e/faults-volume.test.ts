import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { openOracle } from "../support/oracle.ts";
import { fillUp, smallDisk, smallDiskMissing } from "../support/small-disk.ts";
import { until } from "../support/until.ts";

const config = (url: string) =>
  `webhook:\n  address: ${url}/\n  timeout: 1s\n  retry: { max: 1s }\n  breaker: { open: 500ms }\n`;

/** The files of the queue at their present size. */
const sizeOf = (dir: string): number => readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);

for (const [name, restart, filled] of [
  ["a queue that filled its own volume drains by itself when its destination is back", false, false],
  ["and after a kill, on a volume that others filled to the last byte", true, true],
] as const)
  test(name, { skip: smallDiskMissing() ?? false }, async (t) => {
    const disk = smallDisk(t, 10 * 1024);
    if (!disk) return;
    const { dir, remove } = scratch();
    const sink = await openHttpSink();
    sink.always({ fault: "hang" });
    const options = { datadir: dir, config: config(sink.url), env: { DATADIR: join(disk, "data") } };
    let hub = await startHub(options);
    const oracle = openOracle();
    try {
      const load = oracle.send(hub.url);
      await until("the volume is full", () => (load.statuses[503] ?? 0) > 50, 60_000);
      assert.deepEqual(Object.keys(await load.stop()).sort(), ["200", "503"]);
      await until("a single alert is refused with a time to come back", async () => {
        const answer = await fetch(hub.url, { method: "POST", body: JSON.stringify(falcoAlert(1e6)) });
        return answer.status === 503 && Number(answer.headers.get("retry-after")) > 0;
      });
      const full = sizeOf(join(disk, "data", "queue"));
      if (filled) fillUp(disk);
      if (restart) {
        await hub.stop("SIGKILL");
        hub = await startHub(options);
      }
      const before = sink.count();
      sink.always({});
      const later = () => sink.requests.slice(before);
      await until("all obligations are met", () => oracle.missing(later()).length === 0, 60_000);
      const fresh = async () =>
        (await fetch(hub.url, { method: "POST", body: JSON.stringify(falcoAlert(2e6)) })).status === 200;
      await until("alerts are taken again", fresh, 5000);
      await until("a fresh alert is delivered", () => later().some((r) => r.body.includes("alert-2000000-")), 5000);
      await until("the volume gets its room back", () => sizeOf(join(disk, "data", "queue")) < full / 2, 10_000);
      const { lost, unknown, changed } = oracle.judge(sink.requests.filter((r) => !/alert-[12]000000-/.test(r.body)));
      assert.deepEqual({ lost, unknown, changed }, { lost: [], unknown: [], changed: [] });
      assert.equal(await hub.stop(), 0);
    } finally {
      await hub.stop("SIGKILL");
      await sink.close();
      remove();
    }
  });
