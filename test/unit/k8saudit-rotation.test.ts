import assert from "node:assert/strict";
import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { openFile } from "../../sources/k8saudit/file.ts";
import type { OpenSource } from "../../src/sdk/source.ts";
import { until } from "../support/until.ts";
import { type Hub, makeHub, openSource } from "./k8saudit-hub.ts";
import { auditEvent } from "./k8saudit-support.ts";

interface Log {
  readonly file: string;
  readonly hub: Hub;
  /** Starts the follower; where one ran before it goes on at the checkpoint. */
  start(fromEnd?: boolean): Promise<OpenSource>;
  write(...ids: string[]): Promise<void>;
  /** Waits for exactly these, in this order. */
  heard(...ids: string[]): Promise<void>;
}

const lines = (ids: readonly string[]): string => ids.map((id) => `${auditEvent({}, id)}\n`).join("");

const makeLog = async (t: TestContext): Promise<Log> => {
  const folder = await mkdtemp(join(tmpdir(), "rotation-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "audit.log");
  const hub = makeHub();
  const ids = (): string => hub.taken.map(({ text }) => JSON.parse(text).auditID).join();
  return {
    file,
    hub,
    start: async (fromEnd = false) => {
      const settings = { path: file, follow: true, fromEnd, pollMs: 2, maxEventBytes: 1e6 };
      const source = await openFile(settings, hub.host, Readable.from([]));
      t.after(() => source.close());
      return source;
    },
    write: (...written) => appendFile(file, lines(written)),
    heard: async (...wanted) => {
      await until(wanted.join(), () => ids().length >= wanted.join().length);
      assert.equal(ids(), wanted.join());
    },
  };
};

const logged = (hub: Hub, pattern: RegExp): number => hub.logged.filter(({ msg }) => pattern.test(msg)).length;

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
