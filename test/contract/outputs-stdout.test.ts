import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { type Alert, rawEvent } from "../../src/sdk/alert.ts";
import { hostileAlerts } from "../support/hostile-alerts.ts";
import { steering } from "../support/steering.ts";

/** Runs the output in a process of its own, since it writes to that process's standard output. */
const printed = (format: string): string[] => {
  const script = `
    import stdout from ${JSON.stringify(new URL("../../outputs/stdout.ts", import.meta.url).href)};
    import { hostileAlerts } from ${JSON.stringify(new URL("../support/hostile-alerts.ts", import.meta.url).href)};
    await stdout.open({ enabled: true, format: ${JSON.stringify(format)} }).send(Object.values(hostileAlerts), AbortSignal.timeout(10_000));
  `;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    maxBuffer: 64 << 20,
    timeout: 20_000,
  });
  assert.equal(run.status, 0, run.stderr.toString());
  return run.stdout.toString().trimEnd().split("\n");
};

describe("stdout", () => {
  it("prints every alert as one line without control and bidirectional characters", () => {
    for (const format of ["text", "output", "json"]) {
      const lines = printed(format);
      assert.equal(lines.length, Object.keys(hostileAlerts).length);
      for (const line of lines) assert.doesNotMatch(line, steering);
    }
  });

  it("prints raw events with format json, other text as it is", () => {
    const lines = printed("json");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).output),
      Object.values(hostileAlerts).map((alert) => JSON.parse(rawEvent(alert)).output),
    );
    const plain = lines.filter((_, i) => !steering.test(rawEvent(Object.values(hostileAlerts)[i] as Alert)));
    for (const line of plain) assert.ok(Object.values(hostileAlerts).some((alert) => rawEvent(alert) === line));
    assert.ok(lines.some((line) => line.includes("\u{1f600}")));
  });

  it("keeps one batch for a reader who does not read, however often it is tried", async () => {
    const script = `
      import stdout from ${JSON.stringify(new URL("../../outputs/stdout.ts", import.meta.url).href)};
      import { sampleAlert } from ${JSON.stringify(new URL("../support/hostile-alerts.ts", import.meta.url).href)};
      const alerts = Array.from({ length: 500 }, () => sampleAlert());
      let most = 0;
      for (let attempt = 0; attempt < 20; attempt++) {
        const given = new AbortController();
        const sent = stdout.open({ enabled: true, format: "json" }).send(alerts, given.signal);
        setImmediate(() => given.abort(new Error("no answer")));
        await Promise.race([sent.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 20))]);
        most ||= process.stdout.writableLength;
      }
      process.stderr.write(JSON.stringify([most, process.stdout.writableLength]), () => process.exit(0));
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.pause();
    let said = "";
    child.stderr.on("data", (data: Buffer) => {
      said += data.toString();
    });
    await once(child, "exit");
    const [first, last] = JSON.parse(said) as [number, number];
    assert.ok(first > 0, "the reader read");
    assert.equal(last, first);
  });
});
