import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { failIo, ioErrorsMissing } from "../support/io-errors.ts";
import { openOracle } from "../support/oracle.ts";
import { until } from "../support/until.ts";

const skip = ioErrorsMissing() ?? false;

for (const [name, calls, restart] of [
  ["errors on every write of the disk", "pwrite64,fsync,fdatasync,ftruncate", false],
  ["errors on every read of a backlog, and on every write", "pread64,pwrite64,fsync,fdatasync,ftruncate", true],
] as const)
  test(`${name}: senders hear 503 with Retry-After, the process lives, nothing promised is lost`, {
    skip,
  }, async (t) => {
    const { dir, remove } = scratch();
    const sink = await openHttpSink();
    sink.always({ status: 500 });
    const config = `webhook:\n  address: ${sink.url}/\n  timeout: 1s\n  retry: { max: 1s }\n  breaker: { open: 500ms }\n`;
    const options = { datadir: dir, config };
    let hub = await startHub(options);
    const oracle = openOracle();
    try {
      let load = oracle.send(hub.url);
      await until("the load has begun", () => load.answered() > 2000, 30_000);
      if (restart) {
        // Nothing of the backlog is in memory.
        await load.stop();
        await hub.stop("SIGKILL");
        hub = await startHub(options);
        load = oracle.send(hub.url);
      }
      const queue = join(dir, "data", "queue");
      const heal = await failIo(hub.child.pid as number, queue, calls);
      if (!heal) return t.skip("this machine does not let its user trace a process");
      const before = sink.count();
      sink.always({});
      await until("senders are refused", () => (load.statuses[503] ?? 0) > 50, 30_000);
      const refused = await fetch(hub.url, { method: "POST", body: JSON.stringify(falcoAlert(1e6)) });
      assert.equal(refused.status, 503);
      assert.ok(Number(refused.headers.get("retry-after")) > 0);
      assert.equal((await fetch(`${hub.url}/readyz`)).status, 503);
      assert.equal((await fetch(`${hub.url}/metrics`)).status, 200);
      assert.notEqual((await fetch(`${hub.url}/api/v1/dead-letters`)).status, 500);
      await heal();
      await until(
        "alerts are taken again",
        async () => {
          const { status } = await fetch(hub.url, { method: "POST", body: JSON.stringify(falcoAlert(2e6)) });
          return status === 200;
        },
        5000,
      );
      assert.deepEqual(Object.keys(await load.stop()).sort(), ["200", "503"]);
      const later = () => sink.requests.slice(before);
      await until("a fresh alert is delivered", () => later().some((r) => r.body.includes("alert-2000000-")), 30_000);
      await until("all obligations are met", () => oracle.missing(later()).length === 0, 60_000);
      const { lost, unknown, changed } = oracle.judge(sink.requests.filter((r) => !/alert-[12]000000-/.test(r.body)));
      assert.deepEqual({ lost, unknown, changed }, { lost: [], unknown: [], changed: [] });
      assert.deepEqual(
        readdirSync(queue).filter((file) => file.includes(".corrupt-")),
        [],
        "no file was given up",
      );
      assert.equal(await hub.stop(), 0);
    } finally {
      await hub.stop("SIGKILL");
      await sink.close();
      remove();
    }
  });
