import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
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
