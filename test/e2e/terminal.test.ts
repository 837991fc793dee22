import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { runEyrie } from "../support/command.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { plainText, steering, steeringText } from "../support/steering.ts";
import { until } from "../support/until.ts";
import { auditEvent } from "../unit/audit/support.ts";

const rule = `- rule: Every Event
  desc: Every audit event.
  condition: ka.auditid exists
  output: "%ka.useragent %ka.uri"
  priority: NOTICE
  source: k8s_audit
`;

test("run and fields print what clients of the API server wrote without a character that steers the terminal", async () => {
  const { dir, remove } = scratch();
  const hostile = `${steeringText}\nforged ${plainText}`;
  writeFileSync(join(dir, "rules.yaml"), rule);
  writeFileSync(
    join(dir, "e.jsonl"),
    `${auditEvent({ userAgent: hostile, requestURI: hostile }, hostile)}\n{oops ${hostile}\n`,
  );
  try {
    for (const args of [
      ["run", "-r", "rules.yaml", "e.jsonl"],
      ["run", "-r", "rules.yaml", "-o", "json_output=true", "e.jsonl"],
      ["fields", "e.jsonl"],
      ["fields", "e.jsonl", "--select", "ka.useragent"],
      ["run", "-r", `${steeringText}.yaml`, "e.jsonl"],
      ["fields", steeringText],
    ]) {
      const { stdout, stderr } = await runEyrie(args, { FALCO_HOSTNAME: steeringText }, dir);
      assert.doesNotMatch(stdout, steering, args.join(" "));
      assert.doesNotMatch(stderr, steering, args.join(" "));
      assert.doesNotMatch(stdout, /^forged/m);
      if (args.includes("e.jsonl") && args[2] !== `${steeringText}.yaml`)
        assert.ok(stdout.includes(plainText), args.join(" "));
    }
  } finally {
    remove();
  }
});

test("neither do a hub that prints its alerts, its logs, dead-letters and send-test", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  sink.always({ status: 400, body: JSON.stringify({ error: steeringText }) });
  const env = { STDOUT_ENABLED: "true", WEBHOOK_ADDRESS: sink.url, LOG_FORMAT: "pretty", LOG_LEVEL: "debug" };
  const hub = await startHub({ datadir: dir, env: { ...env, LOG_FORMAT: "json" } });
  try {
    const alert = {
      ...falcoAlert(1),
      rule: `${steeringText}${plainText}`,
      output: `${steeringText}\nforged`,
      tags: [steeringText],
    };
    assert.equal((await fetch(hub.url, { method: "POST", body: JSON.stringify(alert) })).status, 200);
    await fetch(hub.url, { method: "POST", body: steeringText });
    await until("it is printed", () => hub.output().includes(plainText));
    const list = async (...more: string[]) => runEyrie(["dead-letters", "--url", hub.url, ...more]);
    await until("it is dead", async () => (await list()).stdout.includes("client_error"));
    for (const { stdout, stderr } of [await list(), await list("--json"), await runEyrie(["send-test"], env)]) {
      assert.doesNotMatch(stdout + stderr, steering);
      assert.doesNotMatch(stdout, /^forged/m);
    }
    assert.ok((await list()).stdout.includes(plainText));
    assert.doesNotMatch(hub.output(), steering);
    assert.doesNotMatch(hub.output(), /^forged/m);
  } finally {
    await hub.stop("SIGKILL");
    await sink.close();
    remove();
  }
});
