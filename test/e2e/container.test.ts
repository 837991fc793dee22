import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { makeAuthority } from "../fakes/certificates.ts";
import { scratch, startHub } from "../support/hub-process.ts";

const root = join(import.meta.dirname, "../..");
const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");

/** Exit code of the image's health check, run here. */
const healthCheck = async (port: string): Promise<number> => {
  const found = /HEALTHCHECK[^\n]*\\\n\s*CMD (\[.*\])/.exec(dockerfile)?.[1];
  const [node, ...args] = JSON.parse(found ?? "[]") as string[];
  assert.equal(node, "node");
  const child = spawn(process.execPath, args, { env: { LISTENPORT: port }, stdio: "ignore", timeout: 10_000 });
  const [code] = await once(child, "exit");
  return code as number;
};

test("the image's health check finds a hub healthy, with TLS and client certificates too, and nobody at home sick", async () => {
  const { dir, remove } = scratch();
  const { cert, key } = makeAuthority().server();
  writeFileSync(join(dir, "server.crt"), cert);
  writeFileSync(join(dir, "server.key"), key);
  const plain = await startHub({ datadir: dir, env: { DATADIR: join(dir, "a") } });
  const config = `tlsserver:
  deploy: true
  mutualtls: true
  certfile: ${dir}/server.crt
  keyfile: ${dir}/server.key
  cacertfile: ${dir}/server.crt
`;
  const secure = await startHub({ datadir: dir, config, env: { DATADIR: join(dir, "b") } });
  const portOf = (url: string) => new URL(url).port;
  try {
    assert.equal(await healthCheck(portOf(plain.url)), 0);
    assert.equal(await healthCheck(portOf(secure.url)), 0);
  } finally {
    await plain.stop();
    await secure.stop();
    remove();
  }
  assert.equal(await healthCheck(portOf(plain.url)), 1);
});

test("what the image starts is there", () => {
  const entry = JSON.parse(/ENTRYPOINT (\[.*\])/.exec(dockerfile)?.[1] ?? "[]") as string[];
  assert.equal(entry[0], "node");
  for (const [, from] of dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm))
    for (const name of [...(from ?? "").split(" "), entry.at(-1) ?? ""]) assert.ok(existsSync(join(root, name)), name);
  assert.match(dockerfile, /^USER (?!0|root)/m);
});

test("the image holds no configuration, and its data folder is its user's alone", () => {
  assert.doesNotMatch(dockerfile, /^COPY (?!--from).*\b(?:config|\.)(?: |$)/m);
  const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, from]) => (from ?? "").split(" "));
  for (const name of copied) assert.ok(!/config|\.ya?ml$|\.env/.test(name) && name !== ".", name);
  const set = [...dockerfile.matchAll(/^ENV (.+)$/gm)].flatMap(([, pairs]) => (pairs ?? "").split(" "));
  assert.deepEqual(set.toSorted(), ["DATADIR=/data", "NODE_ENV=production"]);
  assert.match(dockerfile, /install -d -m 0700 -o 1234 -g 1234 \/data/);
  assert.match(dockerfile, /^USER 1234:1234$/m);
});

test("compose publishes on loopback only, and every container is confined and limited", () => {
  interface Service {
    readonly ports?: readonly string[];
    readonly user?: string;
    readonly build?: string;
    readonly [key: string]: unknown;
  }
  const file = parse(readFileSync(join(root, "docker-compose.yml"), "utf8"), { merge: true });
  const services = Object.entries(file.services as Record<string, Service>);
  assert.ok(services.length >= 4);
  for (const [name, service] of services) {
    for (const port of service.ports ?? [])
      assert.match(port, /^(?:127\.0\.0\.1|\$\{EYRIE_BIND:-127\.0\.0\.1\}):/, name);
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ["ALL"], name);
    assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
    for (const limit of ["mem_limit", "cpus", "pids_limit"]) assert.ok(service[limit], `${name}: ${limit}`);
    // The hub's image names its own.
    assert.ok(service.build || (service.user && !/^(?:0|root)\b/.test(service.user)), `${name}: user`);
    assert.doesNotMatch(JSON.stringify(service), /privileged":true|docker\.sock|"network_mode":"host"/);
  }
});
