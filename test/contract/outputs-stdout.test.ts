import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { rawEvent } from "../../src/sdk/alert.ts";
import { hostileAlerts } from "../support/hostile-alerts.ts";

/** Runs the output in a process of its own, since it writes to that process's standard output. */
const printed = (format: string): string[] => {
  const script = `
    import stdout from ${JSON.stringify(new URL("../../outputs/stdout.ts", import.meta.url).href)};
    import { hostileAlerts } from ${JSON.stringify(new URL("../support/hostile-alerts.ts", import.meta.url).href)};
    await stdout.open({ enabled: true, format: ${JSON.stringify(format)} }).send(Object.values(hostileAlerts));
  `;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    maxBuffer: 64 << 20,
    timeout: 20_000,
  });
  assert.equal(run.status, 0, run.stderr.toString());
  return run.stdout.toString().trimEnd().split("\n");
};

describe("stdout", () => {
  it("prints every alert as one line without control characters", () => {
    const lines = printed("text");
    assert.equal(lines.length, Object.keys(hostileAlerts).length);
    for (const line of lines) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
  });

  it("prints raw events with format json", () => {
    assert.deepEqual(printed("json"), Object.values(hostileAlerts).map(rawEvent));
  });
});
