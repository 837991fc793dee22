import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { outputs } from "../../outputs/index.ts";
import { openHttpSink } from "../fakes/http-sink.ts";
import { alertNumbers, falcoAlert } from "../support/alerts.ts";
import { runEyrie } from "../support/command.ts";
import { type HubProcess, scratch, startHub } from "../support/hub-process.ts";
import { type RedisServer, redisMissing, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

const canary = "CANARY-51d9";

const post = async (hub: HubProcess, n: number): Promise<void> => {
  const headers = { authorization: `Bearer ${canary}-token` };
  const reply = await fetch(hub.url, { method: "POST", body: JSON.stringify(falcoAlert(n)), headers });
  assert.equal(reply.status, 200);
};

/** Dead alerts of the webhook, as an operator's program reads them. */
const deadAt = async (hub: HubProcess): Promise<number> => {
  const reply = await fetch(`${hub.url}/api/v1/lanes`, { headers: { authorization: `Bearer ${canary}-token` } });
  assert.equal(reply.status, 200);
  const text = await reply.text();
  assert.ok(!text.includes(canary), "a secret was answered");
  const { lanes } = JSON.parse(text) as { lanes: { output?: string; dead: number }[] };
  return lanes.find((l) => l.output === "webhook")?.dead ?? 0;
};

for (const driver of ["sqlite", "redis"] as const) {
  const skip = (driver === "redis" && redisMissing()) || false;
  describe(`dead letters in ${driver}`, { skip }, () => {
    let redis: RedisServer | undefined;
    before(async () => {
      if (driver === "redis") redis = await startRedis();
    });
    after(() => redis?.stop());

    test("what a destination refused is listed with the reason, sent again once it is mended, or discarded", async (t) => {
      const { dir, remove } = scratch();
      const sink = await openHttpSink();
      sink.always({ status: 400, body: `no, ${canary}` });
      const env = { AUTH_TOKEN: `${canary}-token`, ...(redis && { QUEUE_REDIS_URL: redis.url }) };
      const address = `${sink.url}/${canary}/path?key=${canary}`;
      const config = `webhook:\n  address: ${address}\n  customheaders: { Authorization: ${canary}-header }\n`;
      const hub = await startHub({ datadir: dir, env, config });
      t.after(async () => {
        await hub.stop();
        await sink.close();
        remove();
      });
      let printed = "";
      const run = async (...args: string[]) => {
        const ran = await runEyrie(["dead-letters", ...args, "--url", hub.url], env, dir);
        printed += ran.stdout + ran.stderr;
        return ran;
      };
      for (const n of [1, 2, 3]) await post(hub, n);
      await until("three are given up", async () => (await deadAt(hub)) === 3);

      const { code, stdout } = await run("list", "--output", "webhook");
      assert.equal(code, 0);
      assert.match(stdout, /webhook {2}1 alert {2}client_error: HTTP 400: no, \*{3}\n/);
      assert.deepEqual(alertNumbers(stdout).toSorted(), [1, 2, 3]);

      sink.always({ status: 200 });
      const letters = JSON.parse((await run("list", "--json")).stdout).deadLetters as {
        id: string;
        alerts: { uuid: string }[];
      }[];
      const second = letters.find((l) => l.alerts[0]?.uuid === falcoAlert(2).uuid);
      const before = sink.count();
      assert.equal(
        (await run("discard", "--output", "webhook", "--id", second?.id ?? "")).stdout,
        "1 dead letter discarded\n",
      );
      assert.equal((await run("redrive", "--output", "webhook")).stdout, "2 dead letters sent again\n");
      await sink.received(before + 2);
      const delivered = sink.requests.slice(before).flatMap((r) => alertNumbers(r.body));
      assert.deepEqual(delivered.toSorted(), [1, 3]);
      await until("nothing is left", async () => (await deadAt(hub)) === 0);
      assert.equal((await run("list")).stdout, "no dead letters\n");

      const stranger = await runEyrie(["dead-letters", "--url", hub.url], {}, dir);
      assert.equal(stranger.code, 1);
      assert.match(stranger.stderr, /HTTP 401: a valid bearer token is required/);
      assert.ok(!(printed + stranger.stdout + stranger.stderr + hub.output()).includes(canary), "a secret was shown");
    });

    test("dead letters outlive a kill of the process", async (t) => {
      const { dir, remove } = scratch();
      const sink = await openHttpSink();
      sink.always({ status: 404 });
      const env = {
        AUTH_TOKEN: `${canary}-token`,
        WEBHOOK_ADDRESS: sink.url,
        ...(redis && { QUEUE_REDIS_URL: redis.url }),
      };
      const first = await startHub({ datadir: dir, env });
      await post(first, 8);
      await until("it is given up", async () => (await deadAt(first)) === 1);
      await first.stop("SIGKILL");
      sink.always({ status: 200 });
      const again = await startHub({ datadir: dir, env });
      t.after(async () => {
        await again.stop();
        await sink.close();
        remove();
      });
      const listed = await runEyrie(["dead-letters", "--url", again.url], env, dir);
      assert.match(listed.stdout, /not_found: HTTP 404\n.*\n.*alert-8-/);
      await runEyrie(["dead-letters", "redrive", "--output", "webhook", "--url", again.url], env, dir);
      await sink.received(2);
      assert.deepEqual(alertNumbers(sink.requests[1]?.body ?? ""), [8]);
    });
  });
}

test("send-test sends what /test sends, tells each destination's answer and leaves nothing in a queue", async (t) => {
  const { dir, remove } = scratch();
  const [good, bad] = [await openHttpSink(), await openHttpSink()];
  bad.always({ status: 401 });
  t.after(async () => {
    await Promise.all([good.close(), bad.close()]);
    remove();
  });
  const env = { WEBHOOK_ADDRESS: `${good.url}/${canary}`, SLACK_WEBHOOKURL: `${bad.url}/${canary}` };
  const ran = await runEyrie(["send-test"], { ...env, DATADIR: `${dir}/none` }, dir);
  assert.equal(ran.code, 1);
  assert.match(ran.stdout, /^webhook {2}ok {6}\d+ ms$/m);
  assert.match(ran.stdout, /^slack {4}failed {2}auth_error: HTTP 401, \d+ ms$/m);
  assert.ok(!(ran.stdout + ran.stderr).includes(canary), "a secret was printed");
  assert.equal((await runEyrie(["send-test", "--output", "webhook"], env, dir)).code, 0);

  const hub = await startHub({ datadir: dir, env: { WEBHOOK_ADDRESS: good.url } });
  try {
    assert.equal((await fetch(`${hub.url}/test`, { method: "POST" })).status, 200);
    await good.received(3);
    const bare = ({ body }: { body: string }) => ({ ...JSON.parse(body), uuid: "", time: "" });
    assert.deepEqual(bare(good.requests[0]!), bare(good.requests[2]!));
  } finally {
    await hub.stop();
  }
});

test("send-test ends although a destination takes the connection and says nothing", async () => {
  const mute = createServer().listen(0, "127.0.0.1");
  await once(mute, "listening");
  const { port } = mute.address() as AddressInfo;
  const env = { NATS_HOSTPORT: `nats://127.0.0.1:${port}`, NATS_TIMEOUT: "300ms" };
  const ran = await runEyrie(["send-test"], env);
  mute.close();
  assert.equal(ran.code, 1);
  assert.match(ran.stdout, /^nats {2}failed {2}timeout/);
});

test("outputs prints every registered output and ends", async () => {
  const { code, stdout } = await runEyrie(["outputs", "--json"]);
  assert.equal(code, 0);
  const listed = JSON.parse(stdout) as { outputs: { name: string }[] };
  assert.deepEqual(
    listed.outputs.map((o) => o.name),
    outputs.map((o) => o.name),
  );
  const wrong = await runEyrie(["outputs", "nonsense"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^eyrie: no output "nonsense"; there are .*slack/);
});
