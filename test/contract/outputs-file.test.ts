import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import file from "../../outputs/file.ts";
import { rawEvent } from "../../src/sdk/alert.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";
import type { Alerts } from "../../src/sdk/output.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { numbered } from "../support/output-sends.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";

const noHttp = () => Promise.reject(new Error("not over HTTP"));
const soon = () => AbortSignal.timeout(5000);

const opened = (filename: string, format = "json") =>
  openSender(file, configOf(file, { filename, format }), testHost(noHttp));

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "eyrie-file-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

describe("file", () => {
  it("appends one line per alert, whatever is in it", () =>
    inFolder(async (folder) => {
      const path = join(folder, "alerts.jsonl");
      writeFileSync(path, "before\n");
      const alerts = Object.values(hostileAlerts) as unknown as Alerts;
      await (await opened(path)).send(alerts, soon());
      assert.deepEqual(readFileSync(path, "utf8").split("\n"), [
        "before",
        ...alerts.map((alert) => rawEvent(alert).toWellFormed()),
        "",
      ]);
      for (const format of ["text", "output"]) {
        const other = join(folder, format);
        await (await opened(other, format)).send(alerts, soon());
        const lines = readFileSync(other, "utf8").trimEnd().split("\n");
        assert.equal(lines.length, alerts.length);
        for (const line of lines) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
      }
    }));

  it("writes Falco's line with format output", () =>
    inFolder(async (folder) => {
      const path = join(folder, "events.txt");
      await (await opened(path, "output")).send(
        [sampleAlert({ output: "10:20:30: Warning A shell\nwas opened" })],
        soon(),
      );
      assert.equal(readFileSync(path, "utf8"), "10:20:30: Warning A shell\\nwas opened\n");
    }));

  it("goes on in a new file when the old one was moved away", () =>
    inFolder(async (folder) => {
      const path = join(folder, "alerts.jsonl");
      const sender = await opened(path);
      await sender.send(numbered(2), soon());
      renameSync(path, `${path}.1`);
      await sender.send(numbered(3), soon());
      assert.equal(readFileSync(`${path}.1`, "utf8").trimEnd().split("\n").length, 2);
      assert.equal(readFileSync(path, "utf8").trimEnd().split("\n").length, 3);
    }));

  it("keeps alerts waiting, and says why, while the file cannot be written", () =>
    inFolder(async (folder) => {
      const path = join(folder, "later", "alerts.jsonl");
      const sender = await opened(path);
      await assert.rejects(
        async () => sender.send(numbered(1), soon()),
        (error) => {
          assert.ok(error instanceof DeliveryError && error.fault.retryable);
          assert.match(error.message, /ENOENT/);
          assert.ok(!error.message.includes(folder), "the message names the path");
          return true;
        },
      );
      mkdirSync(join(folder, "later"));
      await sender.send(numbered(1), soon());
      assert.equal(readFileSync(path, "utf8").trimEnd().split("\n").length, 1);
    }));

  it("takes back what was written of a batch that did not fit", () =>
    inFolder(async (folder) => {
      const path = join(folder, "alerts.jsonl");
      writeFileSync(path, "before\n");
      const at = (module: string) => JSON.stringify(new URL(module, import.meta.url).href);
      const script = `
        import file from ${at("../../outputs/file.ts")};
        import { sampleAlert } from ${at("../support/hostile-alerts.ts")};
        const alerts = Array.from({ length: 100 }, () => sampleAlert());
        await file.open({ filename: ${JSON.stringify(path)}, format: "json" }).send(alerts, AbortSignal.timeout(10_000)).catch(({ message }) => console.log(message));
      `;
      // No file may grow beyond 8 blocks: half of the batch is written, then the system refuses.
      const limited = `trap "" XFSZ; ulimit -f 8; exec "$0" --input-type=module -e "$1"`;
      const run = spawnSync("sh", ["-c", limited, process.execPath, script], { timeout: 20_000 });
      assert.match(run.stdout.toString(), /cannot be written \(EFBIG\)/, run.stderr.toString());
      assert.equal(readFileSync(path, "utf8"), "before\n");
    }));

  it("holds one thread, however often a pipe that nobody reads is tried", () =>
    inFolder(async (folder) => {
      const path = join(folder, "pipe");
      assert.equal(spawnSync("sh", ["-c", `mkfifo ${path}`]).status, 0);
      for (let attempt = 0; attempt < 8; attempt++) {
        const given = new AbortController();
        const sent = (await opened(path)).send(numbered(1), given.signal);
        if (attempt > 0) {
          given.abort(new Error("no answer"));
          await assert.rejects(sent, /no answer/);
        } else void sent.catch(() => {});
      }
      // The other threads still work.
      assert.equal(await readFile(import.meta.filename, "utf8"), readFileSync(import.meta.filename, "utf8"));
      const reader = spawn("cat", [path], { stdio: "ignore" });
      await new Promise((resolve) => reader.once("exit", resolve));
    }));

  it("says that a full disk took nothing", async () => {
    const sender = await opened("/dev/full");
    await assert.rejects(async () => sender.send(numbered(1), soon()), /ENOSPC/);
  });
});
