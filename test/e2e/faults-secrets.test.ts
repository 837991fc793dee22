import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { z } from "zod";
import { outputs } from "../../outputs/index.ts";
import { sources } from "../../sources/index.ts";
import { globalFields } from "../../src/config/globals.ts";
import { fieldMeta } from "../../src/sdk/fields.ts";
import type { Output } from "../../src/sdk/output.ts";
import { type Behaviour, openHttpSink, type Received } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { runEyrie } from "../support/command.ts";
import { scratch, startHub } from "../support/hub-process.ts";
import { postAll } from "../support/post.ts";
import { until } from "../support/until.ts";

const canary = "CANARY51d9";

/** A configuration with every secret key set, all URLs leading to `port` with credentials, path and query that are secret. */
const planted = (output: Output, port: number): Record<string, unknown> => {
  const secretUrl = (scheme: string) =>
    `${scheme}://${canary}user:${canary}pass@127.0.0.1:${port}/${canary}path/x?key=${canary}query`;
  const values: Record<string, unknown> = { ...output.example };
  for (const [key, schema] of Object.entries(output.fields as Record<string, z.ZodType>)) {
    const { secret, pairs, schemes } = fieldMeta(schema);
    const example = values[key];
    if (schemes && secret) values[key] = secretUrl(schemes[0] ?? "http");
    else if (schemes) values[key] = `${schemes[0]}://${canary}user:${canary}pass@127.0.0.1:${port}`;
    else if (secret) values[key] = pairs ? { "X-Secret": `${canary}-${key}` } : `${canary}-${key}`;
    else if (key === "hostport")
      values[key] = Array.isArray(example) ? [`http://127.0.0.1:${port}`] : `127.0.0.1:${port}`;
    else if (key === "host" || key === "endpoint") values[key] = example && `http://127.0.0.1:${port}`;
  }
  return { ...values, timeout: "500ms", retry: { initial: "10ms", max: "100ms", maxattempts: 4 } };
};

/** Sets `value` at the dotted key. */
const put = (tree: Record<string, unknown>, key: string, value: unknown): void => {
  const [first = "", ...rest] = key.split(".");
  const inner = (tree[first] ?? {}) as Record<string, unknown>;
  if (rest.length > 0) put(inner, rest.join("."), value);
  tree[first] = rest.length > 0 ? inner : value;
};

/** Fails in turn as destinations do, and says back all that it was told. */
const indiscreet = ({ url, headers }: Received, index: number): Behaviour => {
  const said = `${url} ${JSON.stringify(headers)}`;
  const echo = { body: said, headers: { "X-Error": canary, Location: `/${canary}` } };
  return [
    { status: 500 },
    { status: 302 },
    { status: 401 },
    { status: 400 },
    { status: 200 },
    { fault: "garbage" as const },
  ]
    .map((b) => ({ ...echo, ...b }))
    .at(index % 6) as Behaviour;
};

test("no secret of any key of any output shows in logs, metrics, answers, commands or what is kept on disk", async () => {
  const { dir, remove } = scratch();
  const sink = await openHttpSink({ record: false });
  sink.always(indiscreet);
  const settings: Record<string, unknown> = {
    auth: { token: `${canary}-token`, tokens: { falco: `${canary}-sender` } },
    debug: true,
    log: { level: "trace" },
  };
  for (const output of outputs) {
    const values: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(planted(output, sink.port))) put(values, key, value);
    put(settings, output.name, values);
  }
  const config = JSON.stringify(settings, null, 1);
  const env = { AWS_ACCESS_KEY_ID: `${canary}ID`, AWS_SECRET_ACCESS_KEY: `${canary}-aws`, AWS_ENDPOINT_URL: sink.url };
  const hub = await startHub({ datadir: dir, config, env });
  const headers = { authorization: `Bearer ${canary}-token` };
  const shown: Record<string, string> = {};
  try {
    const statuses = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        const reply = await fetch(hub.url, { method: "POST", body: JSON.stringify(falcoAlert(n)), headers });
        await reply.text();
        return reply.status;
      }),
    );
    assert.deepEqual([...new Set(statuses)], [200]);
    assert.equal((await postAll(hub.url, 1, falcoAlert)).statuses[401], 1);
    const lanes = async () => {
      const reply = await fetch(`${hub.url}/api/v1/lanes`, { headers });
      return (await reply.json()) as { lanes: { waiting: number; active: number; delayed: number; dead: number }[] };
    };
    await until("alerts were given up", async () => (await lanes()).lanes.filter((l) => l.dead > 0).length > 5);
    for (const path of [
      "/metrics",
      "/readyz",
      "/healthz",
      "/api/v1/lanes",
      "/api/v1/dead-letters?limit=500",
      "/nothing",
    ])
      shown[path] = await (await fetch(hub.url + path, { headers })).text();
    const file = join(dir, "eyrie-test.yaml");
    const listed = await runEyrie(["dead-letters", "--url", hub.url], { AUTH_TOKEN: `${canary}-token` }, dir);
    const checked = await runEyrie(["check-config", "-c", file], { ...env, DATADIR: join(dir, "other") }, dir);
    const tried = await runEyrie(["send-test", "-c", file], env, dir);
    for (const [name, ran] of Object.entries({ listed, checked, tried })) shown[name] = ran.stdout + ran.stderr;
    assert.equal(checked.code, 0, checked.stdout + checked.stderr);
  } finally {
    await hub.stop();
    await sink.close();
  }
  shown.log = hub.output();
  assert.match(shown.log, /auth_error/);
  for (const name of readdirSync(join(dir, "data"), { recursive: true }) as string[])
    try {
      shown[`data/${name}`] = readFileSync(join(dir, "data", name), "latin1");
    } catch {
      // A folder.
    }
  remove();
  assertHidden(shown);
});

const assertHidden = (shown: Readonly<Record<string, string>>): void => {
  for (const [where, text] of Object.entries(shown)) {
    for (const secret of [canary, Buffer.from(`${canary}user`).toString("base64").slice(0, 16)]) {
      const at = text.indexOf(secret);
      assert.equal(at, -1, `${where}: …${text.slice(Math.max(0, at - 200), at + 60)}…`);
    }
  }
};

test("no secret of the hub itself or of a source shows, those of proxies and of a Redis that is away among them", async () => {
  const { dir, remove } = scratch();
  const settings: Record<string, unknown> = { debug: true, log: { level: "trace" } };
  const tables = [{ name: "", fields: globalFields, example: {} }, ...sources];
  let count = 0;
  for (const { name, fields, example } of tables)
    for (const [key, schema] of Object.entries<z.ZodType>({ ...fields })) {
      const { secret, pairs, schemes } = fieldMeta(schema);
      const path = name === "" ? key : `${name}.${key}`;
      if (key in example) put(settings, path, Object(example)[key]);
      if (!secret) continue;
      count++;
      const url = `${schemes?.[0]}://${canary}user:${canary}pass@127.0.0.1:9`;
      put(settings, path, schemes ? url : pairs ? { sender: `${canary}-${key}` } : `${canary}-${key}`);
    }
  assert.ok(count > 8);
  put(settings, "k8saudit.listen", "http://127.0.0.1:0/audit");
  put(settings, "webhook.address", `https://example.invalid/${canary}path`);
  const proxy = `http://${canary}user:${canary}pass@127.0.0.1:9`;
  const env = { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: "127.0.0.2" };
  const hub = await startHub({ datadir: dir, config: JSON.stringify(settings), env });
  const shown: Record<string, string> = {};
  try {
    const token = (key: string) => ({ authorization: `Bearer ${canary}-${key}` });
    const posted = await fetch(hub.url, {
      method: "POST",
      body: JSON.stringify(falcoAlert(1)),
      headers: token("auth.token"),
    });
    assert.equal(posted.status, 200);
    for (const path of ["/metrics", "/readyz", "/nothing"])
      for (const key of ["prometheus.token", "wrong"])
        shown[`${path} ${key}`] = await (await fetch(hub.url + path, { headers: token(key) })).text();
    for (const path of ["/api/v1/lanes", "/api/v1/dead-letters"])
      shown[path] = await (await fetch(hub.url + path, { headers: token("operators.token") })).text();
    await until(
      "the destination and Redis were tried",
      () => /Redis/.test(hub.output()) && /webhook/.test(hub.output()),
    );
    const file = join(dir, "eyrie-test.yaml");
    const own = { ...env, DATADIR: join(dir, "other") };
    for (const args of [
      ["check-config", "-c", file],
      ["check-config", "--json", "-c", file],
      ["send-test", "-c", file],
      ["outputs"],
    ]) {
      const ran = await runEyrie(args, own, dir);
      shown[args.join(" ")] = ran.stdout + ran.stderr;
    }
  } finally {
    await hub.stop();
  }
  shown.log = hub.output();
  remove();
  assertHidden(shown);
});
