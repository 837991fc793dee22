import assert from "node:assert/strict";
import { readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { UsageError } from "../../../src/cli/command.ts";
import { damagedFiles } from "../../../src/cli/damaged-files.ts";
import { damagedFiles as api } from "../../../src/http/damaged-files.ts";
import { runCommand } from "../../support/command-io.ts";
import { damagedQueue } from "../../support/damaged-queue.ts";
import { folder, open } from "../../support/queue-embedded.ts";
import { until } from "../../support/until.ts";
import { start } from "../http/support.ts";

const listed =
  /^\d{4}-\S+Z {2}queue\.db\.corrupt-\d+ {2}\d+ bytes\n {2}out:a: 19 events and 0 in dead letters saved, 1 events and 0 in dead letters lost\n$/;

test("a running hub tells which damaged files it keeps and releases them", async (t) => {
  const dir = folder(t);
  await damagedQueue(dir);
  const queue = open(dir);
  t.after(() => queue.close());
  await until("it is read back", () => queue.status().damaged?.reading === false);
  const { url } = await start(t, {}, { families: [api({ queue, token: () => "s3cret" })] });
  const run = (...args: string[]) => runCommand(damagedFiles, [...args, "--url", url], { OPERATORS_TOKEN: "s3cret" });
  assert.match((await run()).stdout, listed);
  const locked = await runCommand(damagedFiles, ["release", "--all", "--dir", dir]);
  assert.deepEqual([locked.code, locked.stdout], [1, ""]);
  assert.match(locked.stderr, /another process uses the queue directory/);
  const missing = await run("release", "--file", "queue.db");
  assert.deepEqual([missing.code, missing.stderr], [1, "the hub refused: HTTP 404: there is no such file\n"]);
  assert.match((await run("release", "--all")).stdout, listed);
  assert.equal((await run()).stdout, "no damaged files kept\n");
});

test("without a hub the folder of the queue is asked, and a file that was not read back stays", async (t) => {
  const dir = folder(t);
  await damagedQueue(dir);
  const run = (...args: string[]) => runCommand(damagedFiles, [...args, "--dir", dir]);
  assert.equal((await run()).stdout, "no damaged files kept\n");
  const queue = open(dir, { now: () => 1_700_000_000_000 });
  await until("it is read back", () => queue.status().damaged?.reading === false);
  await queue.close();
  const name = "queue.db.corrupt-1700000000000";
  const [file] = JSON.parse((await run("--json")).stdout);
  assert.deepEqual([file.name, file.reading, file.lost["out:a"].events], [name, false, 1]);
  assert.equal((await run("release", "--file", "queue.db")).stderr, "there is no such file\n");
  assert.match((await run("release", "--file", name)).stdout, listed);
  assert.ok(!readdirSync(dir).some((file) => file.includes("corrupt")));
  renameSync(join(dir, "queue.db"), join(dir, "queue.db.corrupt-1"));
  assert.match((await run()).stdout, /queue\.db\.corrupt-1 .* still to be read back\n$/);
  const refused = await run("release", "--file", "queue.db.corrupt-1");
  assert.deepEqual([refused.code, refused.stderr], [1, "the file is not read back yet: start the hub first\n"]);
  assert.equal((await run("release", "--all")).stdout, "no damaged files released\n");
  assert.ok(readdirSync(dir).includes("queue.db.corrupt-1"));
  assert.equal((await runCommand(damagedFiles, ["--dir", join(dir, "nowhere")])).stderr, "there is no such folder\n");
});

test("the command line says what it lacks", async () => {
  for (const args of [["release"], ["release", "--all", "--file", "x"], ["remove"], ["list", "more"]])
    await assert.rejects(runCommand(damagedFiles, args), UsageError, args.join(" "));
});
