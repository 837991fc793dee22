import assert from "node:assert/strict";
import { mkdir, rename, rm, stat, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { openFound, Rotating } from "../../../../sources/k8saudit/rotated.ts";
import { until } from "../../../support/until.ts";
import { lines, logged, makeLog } from "./followed.ts";
import { makeHub, openSource } from "./hub.ts";

test("a gap is said and counted: cut without a copy, replaced while the hub was down, an unreadable checkpoint", async (t) => {
  const cut = await makeLog(t);
  await cut.write("1", "2");
  await cut.start();
  await cut.heard("1", "2");
  await truncate(cut.file, 0);
  await cut.write("3");
  await cut.heard("1", "2", "3");

  const replaced = await makeLog(t);
  await replaced.write("1");
  const first = await replaced.start();
  await replaced.heard("1");
  await first.close();
  await replaced.write("lost");
  await rm(replaced.file);
  await replaced.write("2", "3", "4");
  await replaced.start();
  await replaced.heard("1", "2", "3", "4");

  const unreadable = await makeLog(t);
  await unreadable.write("1");
  unreadable.hub.checkpoints.set(`file:${unreadable.file}`, "{");
  await unreadable.start(true);
  await unreadable.heard("1");

  for (const { hub } of [cut, replaced, unreadable]) {
    assert.equal(hub.gaps, 1);
    assert.equal(logged(hub, /^audit events may be missing: /), 1);
  }
});

test("what came after the file that is gone is still read", async (t) => {
  const log = await makeLog(t);
  await log.write("old");
  await rename(log.file, `${log.file}.8`);
  await utimes(`${log.file}.8`, 1000, 1000);
  await log.write("1");
  const first = await log.start();
  await log.heard("1");
  await first.close();
  await rm(log.file);
  await log.write("2");
  await rename(log.file, `${log.file}.1`);
  await log.write("3");
  await log.start();
  await log.heard("1", "2", "3");
  assert.equal(log.hub.gaps, 1);
});

test("a link is followed to what it leads to: rotated behind it, or led to the next file", async (t) => {
  const log = await makeLog(t);
  const folder = join(log.file, "../target");
  await mkdir(folder);
  const target = (name: string): string => join(folder, name);
  await writeFile(target("0.log"), lines(["1"]));
  await symlink(target("0.log"), log.file);
  const first = await log.start();
  await log.heard("1");
  await first.close();
  await log.write("2");
  await rename(target("0.log"), target("0.log.20261127-100000"));
  await writeFile(target("0.log"), lines(["3"]));
  const second = await log.start();
  await log.heard("1", "2", "3");
  await second.close();
  await log.write("4");
  await writeFile(target("1.log"), lines(["5"]));
  await rm(log.file);
  await symlink(target("1.log"), log.file);
  await log.start();
  await log.heard("1", "2", "3", "4", "5");
  assert.equal(log.hub.gaps, 0);
});

test("a name that passed on since it was looked up is not opened for the file that was found", async (t) => {
  const { file, write } = await makeLog(t);
  await write("1");
  const { ino } = await stat(file);
  await (await openFound(file, ino)).close();
  await rename(file, `${file}.1`);
  await assert.rejects(openFound(file, ino), Rotating);
  await write("2");
  await assert.rejects(openFound(file, ino), Rotating);
  await (await openFound(`${file}.1`, ino)).close();
});

test("a stop while what was rotated is read loses none of it", async (t) => {
  const log = await makeLog(t);
  await log.write("1");
  const first = await log.start();
  await log.heard("1");
  await first.close();
  for (const [id, name] of [
    ["2", "audit.log.3"],
    ["3", "audit.log.2"],
    ["4", "audit.log.1"],
  ] as const) {
    await log.write(id);
    await rename(log.file, join(log.file, "..", name));
  }
  await log.write("5");
  log.hub.refuse = true;
  for (let start = 0; start < 3; start++) {
    const held = log.hub.logged.length;
    const source = await log.start();
    await until("the first of them waits", () =>
      log.hub.logged.slice(held).some(({ msg }) => /cannot be stored/.test(msg)),
    );
    await source.close();
  }
  log.hub.refuse = false;
  await log.start();
  await log.heard("1", "2", "3", "4", "5");
  assert.equal(log.hub.gaps, 0);
});

test("a broken compressed file is a gap and ends nothing", async (t) => {
  const log = await makeLog(t);
  await log.write("1");
  const first = await log.start();
  await log.heard("1");
  await first.close();
  await rename(log.file, `${log.file}.2`);
  const whole = gzipSync(lines(["2", "3"]));
  await writeFile(`${log.file}.1.gz`, whole.subarray(0, whole.length - 8));
  await log.write("4");
  await log.start();
  await log.heard("1", "2", "3", "4");
  assert.equal(log.hub.gaps, 1);
});

test("a checkpoint of the first version is understood", async (t) => {
  const log = await makeLog(t);
  await log.write("1", "2");
  const { size, ino } = await stat(log.file);
  log.hub.checkpoints.set(`file:${log.file}`, JSON.stringify({ inode: ino, offset: size / 2, line: 2 }));
  await rename(log.file, `${log.file}.1`);
  await log.write("3");
  await log.start();
  await log.heard("2", "3");
});

test("a checkpoint that cannot be kept is said, and repeats nothing", async (t) => {
  const log = await makeLog(t);
  await log.write("1");
  let faults = 0;
  const { set } = log.hub.host.checkpoint;
  log.hub.host.checkpoint.set = async (key, value) => {
    if (faults++ < 3) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    await set(key, value);
  };
  await log.start();
  await until("a checkpoint", () => log.hub.checkpoints.size > 0);
  await log.write("2");
  await log.heard("1", "2");
  assert.equal(logged(log.hub, /cannot be followed now.*no space/), 3);
});

test("a folder and what is no file are refused with follow", async (t) => {
  const { file } = await makeLog(t);
  await assert.rejects(
    openSource(t, { file: join(file, ".."), follow: true }, makeHub()),
    /a folder cannot be followed/,
  );
  await assert.rejects(openSource(t, { file: "/dev/null", follow: true }, makeHub()), /regular file/);
  await writeFile(`${file}.gz`, gzipSync(lines(["1"])));
  await assert.rejects(openSource(t, { file: `${file}.gz`, follow: true }, makeHub()), /compressed file/);
});
