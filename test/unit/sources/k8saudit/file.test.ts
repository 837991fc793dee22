import assert from "node:assert/strict";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { appendFile, mkdir, mkdtemp, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { openFile } from "../../../../sources/k8saudit/file.ts";
import { until } from "../../../support/until.ts";
import { auditEvent, golden } from "../../audit/support.ts";
import { type Hub, makeHub, openSource } from "./hub.ts";

const makeFolder = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "k8saudit-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
};

const idsOf = (hub: Hub): string[] => hub.taken.map(({ text }) => JSON.parse(text).auditID);

const readAll = async (t: TestContext, file: string, hub = makeHub()): Promise<Hub> => {
  const source = await openSource(t, { file }, hub);
  await source.ended;
  return hub;
};

test("every recorded file gives the recorded number of events, and lines of 64 KiB no longer end the reading", async (t) => {
  const folder = await makeFolder(t);
  for (const line of golden("file_source")) {
    if (line.content === undefined) continue;
    const file = join(folder, "events.jsonl");
    await writeFile(file, line.content);
    const hub = await readAll(t, file);
    // The bad element of an array takes its good neighbours along in the original only.
    const kept = {
      "fresh parser: array with trailing empty EventList": 1,
      "warm parser: list then array with trailing empty EventList": 3,
      "warm parser2": 7,
    };
    assert.equal(hub.taken.length, kept[line.name as keyof typeof kept] ?? line.events_emitted, line.name);
  }
});

test("lines of any length are taken", async (t) => {
  const file = join(await makeFolder(t), "long.jsonl");
  const long = auditEvent({ x: "a".repeat(3_000_000) }, "long");
  await writeFile(file, `${auditEvent({}, "1")}\n${long}\n${auditEvent({}, "3")}`);
  assert.deepEqual(idsOf(await readAll(t, file)), ["1", "long", "3"]);
});

test("a line that is longer than any event may be is named and not kept in memory", async (t) => {
  const file = join(await makeFolder(t), "endless.jsonl");
  const out = createWriteStream(file);
  out.write(`${auditEvent({}, "1")}\n`);
  const part = Buffer.alloc(8 << 20, "x");
  for (let i = 0; i < 9; i++) out.write(part);
  out.end(`\n${auditEvent({}, "3")}\n`);
  await once(out, "finish");
  for (const follow of [false, true]) {
    const hub = makeHub();
    const source = await openSource(t, { file, follow, maxeventsize: 1000 }, hub);
    await until("the line behind it", () => idsOf(hub).join() === "1,3");
    await source.close();
    assert.deepEqual(hub.drops, ["too_large"]);
    assert.equal(hub.logged.find(({ line }) => line === 2)?.msg.startsWith("bad line skipped: "), true);
  }
});

test("a bad line is reported with its number and skipped", async (t) => {
  const file = join(await makeFolder(t), "bad.jsonl");
  await writeFile(file, `${auditEvent({}, "1")}\n\n{oops\n${auditEvent({}, "4")}\n{"kind":"Pod"}\n`);
  const hub = await readAll(t, file);
  assert.deepEqual(idsOf(hub), ["1", "4"]);
  assert.deepEqual(
    hub.logged.map(({ line }) => line),
    [3, 5],
  );
  assert.deepEqual(hub.drops, ["not_json", "not_an_event"]);
});

test("several events a line, gzip of several members, and standard input", async (t) => {
  const folder = await makeFolder(t);
  const [a, b, c] = ["a", "b", "c"].map((id) => auditEvent({}, id));
  const file = join(folder, "events.gz");
  await writeFile(file, Buffer.concat([gzipSync(`${a}${b}\n`), gzipSync(`${c}\n`)]));
  assert.deepEqual(idsOf(await readAll(t, file)), ["a", "b", "c"]);

  for (const bytes of [Buffer.from(`${a} ${b}\n${c}`), gzipSync(`${a}\n${b}\n${c}\n`)]) {
    const hub = makeHub();
    const settings = { path: "-", follow: false, fromEnd: false, pollMs: 5, maxEventBytes: 1e6 };
    // One byte at a time: what is told by two bytes must not depend on how they arrive.
    const drops = Readable.from(Array.from(bytes, (byte) => Buffer.from([byte])));
    await (await openFile(settings, hub.host, drops)).ended;
    assert.deepEqual(idsOf(hub), ["a", "b", "c"]);
  }
});

test("broken gzip ends the file with a log line", async (t) => {
  const file = join(await makeFolder(t), "broken.gz");
  await writeFile(file, gzipSync(`${auditEvent({}, "a")}\n`).subarray(0, -6));
  const hub = await readAll(t, file);
  assert.match(hub.logged.at(-1)?.msg ?? "", /^reading stopped/);
});

test("a folder's files come in the order of their modification", async (t) => {
  const folder = await makeFolder(t);
  await mkdir(join(folder, "sub"));
  for (const [i, name] of ["z", "m", "a"].entries()) {
    await writeFile(join(folder, name), auditEvent({}, name));
    await utimes(join(folder, name), 1000 + i, 1000 + i);
  }
  assert.deepEqual(idsOf(await readAll(t, folder)), ["z", "m", "a"]);
});

test("a file that is not there is a fault at start", async (t) => {
  const folder = await makeFolder(t);
  await assert.rejects(openSource(t, { file: join(folder, "none") }, makeHub()), { code: "ENOENT" });
});

test("what cannot be stored is not skipped: the file waits", async (t) => {
  const file = join(await makeFolder(t), "events.jsonl");
  await writeFile(file, `${auditEvent({}, "1")}\n`);
  const hub = makeHub();
  hub.refuse = true;
  const source = await openSource(t, { file }, hub);
  await until("a report", () => hub.logged.length > 0);
  hub.refuse = false;
  await source.ended;
  assert.deepEqual(idsOf(hub), ["1"]);
});

test("a followed file is read as it grows, is cut and is replaced; lines count when they are whole", async (t) => {
  const folder = await makeFolder(t);
  const file = join(folder, "audit.log");
  await writeFile(file, `${auditEvent({}, "1")}\n`);
  const hub = makeHub();
  const settings = { path: file, follow: true, fromEnd: false, pollMs: 5, maxEventBytes: 1e6 };
  const source = await openFile(settings, hub.host, Readable.from([]));
  t.after(() => source.close());
  const reached = (...ids: string[]) => until(ids.join(), () => idsOf(hub).join() === ids.join());
  await reached("1");
  const second = `${auditEvent({}, "2")}\n`;
  await appendFile(file, second.slice(0, 20));
  await appendFile(file, second.slice(20));
  await reached("1", "2");
  await truncate(file, 0);
  await until("a checkpoint", () => hub.checkpoints.size > 0);
  await appendFile(file, `${auditEvent({}, "3")}\n`);
  await reached("1", "2", "3");
  await rename(file, `${file}.1`);
  await appendFile(`${file}.1`, `${auditEvent({}, "4")}\n`);
  await writeFile(file, `${auditEvent({}, "5")}\n`);
  await reached("1", "2", "3", "4", "5");
});

test("a followed file goes on where its checkpoint is, and from its end where there is none", async (t) => {
  const file = join(await makeFolder(t), "audit.log");
  await writeFile(file, `${auditEvent({}, "1")}\n`);
  const hub = makeHub();
  const settings = { path: file, follow: true, fromEnd: true, pollMs: 5, maxEventBytes: 1e6 };
  const first = await openFile(settings, hub.host, Readable.from([]));
  await appendFile(file, `${auditEvent({}, "2")}\n`);
  await until("a checkpoint behind 2", () => hub.checkpoints.size > 0 && idsOf(hub).at(-1) === "2");
  await first.close();
  await appendFile(file, `${auditEvent({}, "3")}\n`);
  const second = await openFile(settings, hub.host, Readable.from([]));
  t.after(() => second.close());
  await until("3", () => idsOf(hub).at(-1) === "3");
  assert.equal(idsOf(hub).filter((id) => id === "2").length, 1);
});

test("a file of nothing but bad lines fills no log, and a line of a million values is refused whole", async (t) => {
  const hub = makeHub();
  const path = join(await makeFolder(t), "bad.log");
  await writeFile(path, `${"x\n".repeat(5000)}[${"1,".repeat(1_000_000)}1]\n${auditEvent()}\n`);
  await readAll(t, path, hub);
  assert.equal(hub.taken.length, 1);
  assert.deepEqual(
    [
      hub.drops.filter((reason) => reason === "not_json").length,
      hub.drops.filter((reason) => reason === "too_many").length,
    ],
    [5000, 1],
  );
  assert.ok(hub.logged.length < 110, String(hub.logged.length));
});
