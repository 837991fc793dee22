import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { damagedFiles } from "../../../src/http/damaged-files.ts";
import type { Original, Queue } from "../../../src/queue/queue.ts";
import { damagedQueue } from "../../support/damaged-queue.ts";
import { folder, open } from "../../support/queue-embedded.ts";
import { until } from "../../support/until.ts";
import { start } from "./support.ts";

const startApi = async (t: TestContext, queue: Pick<Queue, "originals">, token = "") => {
  const { url } = await start(t, {}, { families: [damagedFiles({ queue, token: () => token })] });
  return async (path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const how = body === undefined ? { headers } : { method: "POST", body: JSON.stringify(body), headers };
    const reply = await fetch(`${url}/api/v1/damaged-files${path}`, how);
    return { status: reply.status, body: JSON.parse(await reply.text()) };
  };
};

const json = { "content-type": "application/json" };

test("a damaged file is listed with what was saved and lost, and gone with all that belongs to it once it is released", async (t) => {
  const dir = folder(t);
  await damagedQueue(dir);
  const queue = open(dir, { now: () => 1_700_000_000_000 });
  t.after(() => queue.close());
  await until("it is read back", () => queue.status().damaged?.reading === false);
  const call = await startApi(t, queue);
  const { body } = await call("");
  const [file] = body.files;
  assert.deepEqual(body.files, [
    {
      name: "queue.db.corrupt-1700000000000",
      bytes: file.bytes,
      since: "2023-11-14T22:13:20.000Z",
      reading: false,
      saved: { "out:a": { events: 19, letters: 0 } },
      lost: { "out:a": { events: 1, letters: 0 } },
    },
  ]);
  assert.ok(file.bytes > 400_000);
  assert.equal((await call("/release", { files: ["queue.db"] }, json)).status, 404);
  assert.equal((await call("/release", { files: [file.name, "queue.db"] }, json)).status, 404);
  assert.deepEqual(queue.status().damaged?.files, [file.name]);
  assert.deepEqual((await call("/release", { files: [file.name] }, json)).body, { released: [file] });
  assert.deepEqual((await call("")).body, { files: [] });
  assert.equal(queue.status().damaged, undefined);
  assert.deepEqual(queue.status().warnings, []);
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.includes("corrupt")),
    [],
  );
});

test("what is still being read back is not released, by name or with all", async (t) => {
  const report = { saved: {}, lost: {} };
  const files: Original[] = [
    { name: "read", bytes: 1, since: 0, report },
    { name: "unread", bytes: 1, since: 0 },
  ];
  const released: string[] = [];
  const originals = {
    list: async () => files,
    release: async (names: readonly string[]) => {
      released.push(...names);
      return files.filter(({ name }) => names.includes(name));
    },
  };
  const call = await startApi(t, { originals });
  assert.deepEqual(
    (await call("")).body.files.map((f: { reading: boolean }) => f.reading),
    [false, true],
  );
  assert.equal((await call("/release", { files: ["read", "unread"] }, json)).status, 409);
  assert.deepEqual(released, []);
  assert.equal((await call("/release", { all: true }, json)).status, 200);
  assert.deepEqual(released, ["read"]);
});

test("operators alone are answered, and only what says plainly which files are meant", async (t) => {
  const call = await startApi(t, {}, "s3cret");
  const right = { ...json, authorization: "Bearer s3cret" };
  assert.equal((await call("")).status, 401);
  assert.equal((await call("/release", { all: true }, json)).status, 401);
  for (const body of [{}, { all: false }, { files: [] }, { files: "x" }, { all: true, files: ["x"] }, null])
    assert.equal((await call("/release", body, right)).status, 400, JSON.stringify(body));
  assert.equal((await call("/release", { all: true }, { authorization: "Bearer s3cret" })).status, 415);
  assert.deepEqual((await call("/release", { all: true }, right)).body, { released: [] });
  assert.deepEqual((await call("", undefined, right)).body, { files: [] });
});
