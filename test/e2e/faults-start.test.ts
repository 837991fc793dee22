import assert from "node:assert/strict";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { alertNumbers, falcoAlert } from "../support/alerts.ts";
import { runEyrie } from "../support/command.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { postAll } from "../support/post.ts";
import { redisMissing, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

test("a hub that starts while Redis is away takes alerts and delivers them when it is there", {
  skip: redisMissing() ?? false,
}, async () => {
  const redis = await startRedis();
  await redis.kill();
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  const hub = await startHub({ datadir: dir, env: { QUEUE_REDIS_URL: redis.url, WEBHOOK_ADDRESS: sink.url } });
  try {
    const { statuses } = await postAll(hub.url, 100, falcoAlert);
    assert.deepEqual(statuses, { 200: 100 });
    assert.match(await (await fetch(`${hub.url}/metrics`)).text(), /^eyrie_spill_events 100$/m);
    await redis.start();
    await until("all are delivered", () => new Set(sink.requests.flatMap((r) => alertNumbers(r.body))).size === 100);
    assert.equal(await hub.stop(), 0);
    const said = hub.output().match(/"msg":"queue: worker of [^"]*"/g) ?? [];
    assert.ok(said.length > 0);
    assert.deepEqual(said, [...new Set(said)], "the outage is said once for each lane");
  } finally {
    await hub.stop("SIGKILL");
    await redis.stop();
    await sink.close();
    remove();
  }
});

test("an output that cannot work is off, loudly, and the others deliver", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  const config = "smtp:\n  hostport: 127.0.0.1:25\ntlsclient:\n  cacertfile: /no/ca.crt\n";
  const hub = await startHub({ datadir: dir, config, env: { WEBHOOK_ADDRESS: sink.url } });
  try {
    const { statuses } = await postAll(hub.url, 3, falcoAlert);
    assert.deepEqual(statuses, { 200: 3 });
    await until(
      "the other output delivers",
      () => new Set(sink.requests.flatMap((r) => alertNumbers(r.body))).size === 3,
    );
    const ready = await fetch(`${hub.url}/readyz`);
    const { reasons } = (await ready.json()) as { reasons: string[] };
    assert.equal(ready.status, 200);
    assert.match(
      reasons.join("\n"),
      /smtp\.from: is needed.*\n.*smtp\.to: is needed.*\n.*tlsclient\.cacertfile: .*ENOENT/,
    );
    const metrics = await (await fetch(`${hub.url}/metrics`)).text();
    assert.match(metrics, /^eyrie_output_disabled\{output="smtp",key="smtp\.to"\} 1$/m);
    assert.match(metrics, /^eyrie_option_disabled\{key="tlsclient\.cacertfile"\} 1$/m);
    const logged = hub
      .output()
      .split("\n")
      .filter((line) => /"level":"?(error|50)/.test(line));
    assert.equal(logged.length, 3, hub.output());
  } finally {
    await hub.stop("SIGKILL");
    await sink.close();
    remove();
  }
});

test("a terminal that goes away does not take the hub along", async () => {
  const { dir, remove } = scratch();
  const hub = await startHub({ datadir: dir, env: { LOG_LEVEL: "trace" } });
  try {
    hub.child.stdout?.destroy();
    hub.child.stderr?.destroy();
    for (const n of [1, 2, 3]) {
      const reply = await fetch(hub.url, { method: "POST", body: JSON.stringify(falcoAlert(n)) });
      assert.equal(reply.status, 200);
    }
    await until("the alerts cannot be printed and wait", async () => {
      const metrics = await (await fetch(`${hub.url}/metrics`)).text();
      return /^eyrie_delivery_retries_total\{output="stdout".*\} [1-9]/m.test(metrics);
    });
    assert.equal(await hub.stop(), 0);
  } finally {
    await hub.stop("SIGKILL");
    remove();
  }
});

test("help is given wherever it is asked for", async () => {
  for (const args of [["--help"], ["-c", "nowhere.yaml", "-h"], ["check-config", "--help"], ["send-test", "-h"]]) {
    const { code, stdout, stderr } = await runEyrie(args);
    assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    assert.match(stdout, /^Usage: eyrie /, args.join(" "));
  }
});
