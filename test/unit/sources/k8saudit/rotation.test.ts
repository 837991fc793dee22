import assert from "node:assert/strict";
import { appendFile, copyFile, open, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { until } from "../../../support/until.ts";
import { auditEvent } from "../../audit/support.ts";
import { lines, makeLog } from "./followed.ts";

test("what was written before a rotation while the hub was down is read first", async (t) => {
  const log = await makeLog(t);
  await log.write("1");
  const first = await log.start();
  await log.heard("1");
  await first.close();
  await log.write("2", "3", "4");
  await rename(log.file, `${log.file}.1`);
  await log.write("5");
  await log.start();
  await log.heard("1", "2", "3", "4", "5");
  assert.equal(log.hub.gaps, 0);
});

test("the same where nothing had been written yet when the hub stopped, and reading began at the end", async (t) => {
  const log = await makeLog(t);
  await log.write("old");
  await (await log.start(true)).close();
  await log.write("1", "2");
  await rename(log.file, `${log.file}-20261127`);
  await log.write("3");
  await log.start(true);
  await log.heard("1", "2", "3");
});

test("the same where the hub ended before anything could be stored, and reading began at the start", async (t) => {
  const log = await makeLog(t);
  await log.write("1");
  log.hub.refuse = true;
  await (await log.start()).close();
  await rename(log.file, `${log.file}.1`);
  await log.write("2");
  log.hub.refuse = false;
  await log.start();
  await log.heard("1", "2");
  assert.equal(log.hub.gaps, 0);
});

test("several rotations while the hub was down, compressed ones among them, are read in their order, each once", async (t) => {
  const names = [
    ["kube-apiserver's", "audit-2026-11-27T10-00-00.000.log", "audit-2026-11-27T11-00-00.000.log.gz"],
    ["logrotate's", "audit.log.3.gz", "audit.log.2"],
    ["dated", "audit.log-20261126.gz", "audit.log-20261127.gz"],
  ] as const;
  for (const [, oldest, middle] of names) {
    const log = await makeLog(t);
    const beside = (name: string): string => join(log.file, "..", name);
    const place = async (name: string): Promise<void> => {
      await rename(log.file, beside(name.replace(/\.gz$/, "")));
      if (!name.endsWith(".gz")) return;
      await writeFile(beside(name), gzipSync(await readFile(beside(name.slice(0, -3)))));
      await rm(beside(name.slice(0, -3)));
    };
    await log.write("before");
    await rename(log.file, beside("audit.log.9"));
    await log.write("1");
    const first = await log.start();
    await log.heard("1");
    await first.close();
    await log.write("2");
    await place(oldest);
    await log.write("3", "4");
    await place(middle);
    await log.write("5");
    const second = await log.start();
    await log.heard("1", "2", "3", "4", "5");
    await second.close();
    await log.start();
    await log.write("6");
    await log.heard("1", "2", "3", "4", "5", "6");
    assert.equal(log.hub.gaps, 0, oldest);
  }
});

test("a copied and truncated file that grows again at once loses nothing, however far it grows", async (t) => {
  // Shorter than before, as long, longer: the size alone tells the first only.
  for (const after of [["x"], ["x", "y", "z"], ["x", "y", "z", "w", "v"]]) {
    const log = await makeLog(t);
    await log.write("1", "2");
    await log.start();
    await log.heard("1", "2");
    await log.write("3");
    await copyFile(log.file, `${log.file}.1`);
    await truncate(log.file, 0);
    await log.write(...after);
    await log.heard("1", "2", "3", ...after);
    assert.equal(log.hub.gaps, 0);
  }
});

test("a writer that goes on where it was when the file is cut leaves a hole, behind which its events are read", async (t) => {
  const log = await makeLog(t);
  const writer = await open(log.file, "w");
  t.after(() => writer.close());
  await writer.write(lines(["1", "2"]));
  await log.start();
  await log.heard("1", "2");
  await truncate(log.file, 0);
  await writer.write(lines(["3", "4"]));
  await log.heard("1", "2", "3", "4");
  assert.deepEqual(log.hub.drops, []);
});

test("copied, truncated and grown beyond its old length while the hub was down", async (t) => {
  const log = await makeLog(t);
  await log.write("1");
  const first = await log.start();
  await log.heard("1");
  await first.close();
  await log.write("2");
  await copyFile(log.file, `${log.file}.1`);
  await truncate(log.file, 0);
  await log.write("3", "4", "5", "6");
  await log.start();
  await log.heard("1", "2", "3", "4", "5", "6");
  assert.equal(log.hub.gaps, 0);
});

test("a writer that has not noticed the rotation is still heard, before and after the new file fills", async (t) => {
  const log = await makeLog(t);
  const writer = await open(log.file, "a");
  t.after(() => writer.close());
  await writer.write(lines(["1"]));
  const source = await log.start();
  await log.heard("1");
  await rename(log.file, `${log.file}.1`);
  await writer.write(lines(["2"]));
  await log.heard("1", "2");
  await writeFile(log.file, "");
  await writer.write(lines(["3"]));
  await log.heard("1", "2", "3");
  await log.write("4");
  await log.heard("1", "2", "3", "4");
  await writer.write(lines(["5"]));
  await log.heard("1", "2", "3", "4", "5");
  await source.close();
  // And while the hub is down.
  await writer.write(lines(["6"]));
  await log.write("7");
  await log.start();
  await log.heard("1", "2", "3", "4", "5", "6", "7");
  assert.equal(log.hub.gaps, 0);
});

test("renamed while the hub was down and written to on: the renamed file is followed until a new one fills", async (t) => {
  const log = await makeLog(t);
  await log.write("1");
  const first = await log.start();
  await log.heard("1");
  await first.close();
  await rename(log.file, `${log.file}.1`);
  await appendFile(`${log.file}.1`, lines(["2"]));
  await log.start();
  await log.heard("1", "2");
  await appendFile(`${log.file}.1`, lines(["3"]));
  await log.heard("1", "2", "3");
  await log.write("4");
  await log.heard("1", "2", "3", "4");
});

test("the last line at a rotation: whole without its newline it is taken, half it is waited for and then named", async (t) => {
  const log = await makeLog(t);
  await log.write("1");
  await appendFile(log.file, auditEvent({}, "2"));
  await log.start();
  await log.heard("1");
  await rename(log.file, `${log.file}.1`);
  await log.write("3");
  await log.heard("1", "2", "3");
  const half = auditEvent({}, "4");
  await appendFile(log.file, half.slice(0, 30));
  await rename(log.file, `${log.file}.1`);
  await log.write("5");
  await log.heard("1", "2", "3", "5");
  await appendFile(`${log.file}.1`, `${half.slice(30)}\n${auditEvent({}, "6").slice(0, 30)}`);
  await log.heard("1", "2", "3", "5", "4");
  await until("the half line is named", () => log.hub.drops.join() === "not_json");
});

test("two rotations between two looks: the file in between is read whole", async (t) => {
  const log = await makeLog(t);
  await log.write("1");
  await log.start();
  await log.heard("1");
  await rename(log.file, `${log.file}.2`);
  await writeFile(`${log.file}.1`, lines(["2", "3"]));
  await log.write("4");
  await log.heard("1", "2", "3", "4");
  assert.equal(log.hub.gaps, 0);
});

test("copied and truncated again while what is older is read: the file in between is read from its copy", async (t) => {
  const log = await makeLog(t);
  const cut = async (...next: string[]): Promise<void> => {
    await rename(`${log.file}.1`, `${log.file}.2`).catch(() => {});
    await copyFile(log.file, `${log.file}.1`);
    await truncate(log.file);
    await log.write(...next);
  };
  await log.write("1");
  const first = await log.start();
  await log.heard("1");
  await first.close();
  await log.write("2", "3");
  await cut("4");
  const { push } = log.hub.host;
  let again = true;
  Object.assign(log.hub.host, {
    push: async (...events: Parameters<typeof push>) => {
      await push(...events);
      if (!again) return;
      again = false;
      await cut("5");
    },
  });
  await log.start();
  await log.heard("1", "2", "3", "4", "5");
  assert.equal(log.hub.gaps, 0);
});
