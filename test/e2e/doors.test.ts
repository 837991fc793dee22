import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { openHttpSink } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { runEyrie } from "../support/command.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { until } from "../support/until.ts";

test("a guard that guards nothing stops the start, and check-config says the same words", async () => {
  const { dir, remove } = scratch();
  writeFileSync(join(dir, "empty"), "");
  mkdirSync(join(dir, "etc"));
  writeFileSync(
    join(dir, "etc/hub.yaml"),
    `k8saudit: {listen: "http://127.0.0.1:0", bearertoken_file: ${dir}/empty}\n`,
  );
  try {
    for (const [env, args, said] of [
      [{ AUTH_TOKENS: "tok-123" }, [], /AUTH_TOKENS: is set and holds nothing/],
      [{ AUTH_TOKEN_FILE: join(dir, "empty") }, [], /AUTH_TOKEN_FILE: the file is empty/],
      [{}, ["-c", join(dir, "etc/hub.yaml")], /hub\.yaml:1:\d+: k8saudit\.bearertoken: the file is empty/],
      [{ TLSSERVER_MUTUALTLS: "true" }, [], /TLSSERVER_MUTUALTLS: asks nobody for a certificate/],
    ] as const) {
      await assert.rejects(startHub({ datadir: dir, env, args }), said);
      const { code, stdout } = await runEyrie(["check-config", ...args], env);
      assert.equal(code, 1);
      assert.match(stdout, said);
    }
  } finally {
    remove();
  }
});

test("doors that stand open are named at start, each listener, and those with a guard are not", async () => {
  const { dir, remove } = scratch();
  const audit = 'k8saudit: { listen: "http://127.0.0.1:0/k8s-audit" }\n';
  try {
    const open = await startHub({ datadir: dir, config: audit });
    await open.stop();
    const said = open.output().match(/"msg":"anybody who reaches [^"]*"/g) ?? [];
    assert.equal(said.length, 2, said.join());
    assert.ok(said.some((line) => line.includes(open.url)));
    const config = audit.replace(" }", ", bearertoken: canary-audit }");
    const shut = await startHub({ datadir: dir, config, env: { AUTH_TOKENS: "falco:canary-falco" } });
    await shut.stop();
    assert.doesNotMatch(shut.output(), /anybody who reaches/);
  } finally {
    remove();
  }
});

test("tokens are read again when their files change: alerts, metrics and operators, and no file opens a door by going away", async () => {
  const { dir, remove } = scratch();
  const files = { AUTH_TOKENS_FILE: "senders", PROMETHEUS_TOKEN_FILE: "metrics", OPERATORS_TOKEN_FILE: "operators" };
  const put = (n: number): void => {
    writeFileSync(join(dir, "senders"), `falco: canary-sender-${n}`);
    writeFileSync(join(dir, "metrics"), `canary-metrics-${n}`);
    writeFileSync(join(dir, "operators"), `canary-operator-${n}\n`);
  };
  put(1);
  const env = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(dir, file)]));
  const hub = await startHub({ datadir: dir, env });
  const statuses = async (n: number | string): Promise<readonly number[]> => {
    const ask = async (path: string, who: string, body?: string): Promise<number> =>
      (
        await fetch(`${hub.url}${path}`, {
          headers: { authorization: `Bearer canary-${who}-${n}` },
          ...(body !== undefined && { method: "POST", body }),
        })
      ).status;
    const alert = JSON.stringify(falcoAlert(1));
    return [await ask("/", "sender", alert), await ask("/metrics", "metrics"), await ask("/api/v1/lanes", "operator")];
  };
  try {
    assert.deepEqual(await statuses(1), [200, 200, 200]);
    put(2);
    await until("the second tokens", async () => (await statuses(2)).join() === "200,200,200");
    assert.deepEqual(await statuses(1), [401, 401, 401]);
    writeFileSync(join(dir, "senders"), "canary-without-name");
    writeFileSync(join(dir, "metrics"), "");
    rmSync(join(dir, "operators"));
    await until("a fault is said", () => /auth\.tokens changed and cannot be used/.test(hub.output()));
    assert.deepEqual(await statuses(2), [200, 200, 200]);
    assert.deepEqual(await statuses("x"), [401, 401, 401]);
    const page = await fetch(`${hub.url}/metrics`, { headers: { authorization: "Bearer canary-metrics-2" } });
    assert.match(await page.text(), /^eyrie_credential_reloads_total\{of="hub",outcome="error"\} [1-9]/m);
    // What is wrong with one file holds up no other.
    writeFileSync(join(dir, "senders"), "falco: canary-sender-3");
    await until("the sender's third token", async () => (await statuses(3))[0] === 200);
    assert.deepEqual([(await statuses(2))[0], (await statuses(3))[1]], [401, 401]);
    put(3);
    await until("the third tokens", async () => (await statuses(3)).join() === "200,200,200");
    assert.doesNotMatch(hub.output(), /canary/);
  } finally {
    await hub.stop("SIGKILL");
    remove();
  }
});

test("the operators' API answers this machine's own addresses, not what a mesh's sidecar sends from another loopback address", async () => {
  const { dir, remove } = scratch();
  const hub = await startHub({ datadir: dir });
  const { port } = new URL(hub.url);
  const from = async (localAddress: string): Promise<number | undefined> => {
    const path = "/api/v1/dead-letters/discard";
    const headers = { "content-type": "application/json", host: "localhost" };
    const req = request({ host: "127.0.0.1", port, localAddress, path, method: "POST", headers });
    req.end('{"output":"stdout"}');
    const [reply] = (await once(req, "response")) as [IncomingMessage];
    reply.resume();
    return reply.statusCode;
  };
  try {
    assert.deepEqual([await from("127.0.0.1"), await from("127.0.0.6"), await from("127.0.0.2")], [200, 403, 403]);
  } finally {
    await hub.stop("SIGKILL");
    remove();
  }
});

test("a few alerts that a destination refuses do not erase the dead letters that are there", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink();
  sink.always({ status: 400 });
  const env = { WEBHOOK_ADDRESS: sink.url, QUEUE_MAXBYTES: String(4 << 20), WEBHOOK_BATCH_ITEMS: "1" };
  const hub = await startHub({ datadir: dir, env });
  const dead = async (): Promise<number> => {
    const { lanes } = (await (await fetch(`${hub.url}/api/v1/lanes`)).json()) as {
      lanes: { lane: string; dead: number }[];
    };
    return lanes.find(({ lane }) => lane === "out:webhook")?.dead ?? 0;
  };
  const dropped = async (): Promise<number> =>
    Number(/_dropped_total\{lane="out:webhook"\} (\d+)/.exec(await metricsOf(hub.url))?.[1] ?? 0);
  /** Alerts whose letters are all of the same size. */
  const post = async (from: number, count: number): Promise<void> => {
    for (let n = from; n < from + count; n++) {
      const body = JSON.stringify(falcoAlert(n, { output: "x".repeat(4096), hostname: "node" }));
      assert.equal((await fetch(hub.url, { method: "POST", body })).status, 200);
    }
  };
  try {
    // A quarter of what the queue may take is a mebibyte: some two hundred of these.
    await post(1000, 300);
    let kept = 300;
    await until("only those are kept that there is room for, and no more go", async () => {
      const before = kept;
      // Longer than from one round of trimming to the next.
      await wait(1500);
      kept = await dead();
      return kept < 300 && kept === before && kept + (await dropped()) === 300;
    });
    await post(1300, 6);
    await until("room was made for them", async () => {
      const now = await dead();
      return now <= kept && now + (await dropped()) === 306;
    });
    assert.deepEqual([await dead(), await dropped()], [kept, 306 - kept]);
  } finally {
    await hub.stop("SIGKILL");
    await sink.close();
    remove();
  }
});

const metricsOf = async (url: string): Promise<string> => (await fetch(`${url}/metrics`)).text();
