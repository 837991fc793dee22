import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openSqliteQueue } from "../../src/queue/sqlite/driver.ts";
import { falcoAlert } from "../support/alerts.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { until } from "../support/until.ts";
import { auditEvent } from "../unit/audit/support.ts";

/** What others may do anything with, in a folder and below it. */
const loose = (dir: string): string[] => {
  const paths = [dir, ...readdirSync(dir, { recursive: true }).map((name) => join(dir, String(name)))];
  return paths.filter((path) => (statSync(path).mode & 0o077) !== 0);
};

test("nobody but the hub's user can read what it keeps: new, from before, damaged, and while it runs", async () => {
  const before = process.umask(0);
  const { dir, remove } = scratch();
  const data = join(dir, "data");
  writeFileSync(join(dir, "audit.log"), `${auditEvent()}\n`);
  const config = `k8saudit: { file: "${dir}/audit.log", follow: true }\n`;
  const run = async (check: () => Promise<void> | void, env: Record<string, string> = {}): Promise<string> => {
    const hub = await startHub({ datadir: dir, config, env });
    try {
      await fetch(hub.url, { method: "POST", body: JSON.stringify(falcoAlert(1)) });
      await until("a checkpoint", () => readdirSync(join(data, "checkpoints")).length > 0);
      await check();
    } finally {
      await hub.stop();
    }
    return hub.output();
  };
  const shut = () => assert.deepEqual(loose(data), []);
  try {
    await run(() => {
      shut();
      assert.ok(readdirSync(join(data, "queue")).some((name) => name.endsWith("-wal")));
    });
    shut();
    for (const path of [data, ...readdirSync(data, { recursive: true }).map((name) => join(data, String(name)))])
      chmodSync(path, statSync(path).mode | 0o055);
    assert.ok(loose(data).length > 4);
    assert.doesNotMatch(await run(shut, { QUEUE_DURABILITY: "full" }), /others can look/);
    truncateSync(join(data, "queue", "queue.db"), 5000);
    await run(() => {
      shut();
      assert.ok(readdirSync(join(data, "queue")).some((name) => name.includes("corrupt")));
    });
    // A folder that is not the hub's alone keeps its rights; what the hub keeps in it is shut all the same.
    mkdirSync(join(data, "of somebody else"));
    chmodSync(data, 0o755);
    const said = await run(() => {
      assert.deepEqual(loose(data), [data, join(data, "of somebody else")]);
    });
    assert.match(said, /others can look into the data directory/);
  } finally {
    process.umask(before);
    remove();
  }
});

test("neither can they read the spill, which is an embedded queue of its own", async () => {
  const before = process.umask(0);
  const { dir, remove } = scratch();
  const queue = openSqliteQueue({ dir: join(dir, "a", "spill"), durability: "normal", now: Date.now });
  try {
    await queue.push([{ lane: "l", id: "i", body: "b", count: 1, at: 1 }]);
    assert.deepEqual(loose(join(dir, "a")), []);
  } finally {
    await queue.close();
    process.umask(before);
    remove();
  }
});
