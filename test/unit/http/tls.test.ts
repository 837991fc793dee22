import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type AgentOptions, request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { makeAuthority } from "../../fakes/certificates.ts";
import { until } from "../../support/until.ts";
import { type ConfigOver, request as raw, sendRaw, start } from "./support.ts";

const authority = makeAuthority();
const pki = {
  ca: authority.ca,
  server: authority.server(),
  renewed: authority.server(),
  client: authority.client("sensor"),
  stranger: makeAuthority().client("sensor"),
};
const serialOf = (pair: { cert: string }): string => new X509Certificate(pair.cert).serialNumber;

const filesIn = async (t: TestContext) => {
  const dir = await mkdtemp(join(tmpdir(), "eyrie-tls-"));
  t.after(() => rm(dir, { recursive: true }));
  const files = { certfile: join(dir, "tls.crt"), keyfile: join(dir, "tls.key"), cacertfile: join(dir, "ca.crt") };
  writeFileSync(files.certfile, pki.server.cert);
  writeFileSync(files.keyfile, pki.server.key);
  writeFileSync(files.cacertfile, pki.ca);
  return files;
};

const startTls = async (t: TestContext, over: Partial<ConfigOver["tlsserver"]> = {}) => {
  const files = await filesIn(t);
  const started = await start(t, { tlsserver: { deploy: true, ...files, ...over } }, { credentialCheckMs: 20 });
  return { ...started, files, plain: Number(new URL(started.server.addresses()[1] ?? "http://x:1").port) };
};

const call = (port: number, method: string, path: string, options: AgentOptions = {}) =>
  new Promise<{ status: number; body: string; protocol: string | null; serial: string }>((resolve, reject) => {
    const req = httpsRequest(
      { host: "127.0.0.1", port, method, path, ca: pki.ca, agent: false, ...options },
      async (res) => {
        const socket = res.socket as import("node:tls").TLSSocket;
        const protocol = socket.getProtocol();
        const serial = socket.getPeerCertificate().serialNumber;
        let body = "";
        for await (const chunk of res) body += chunk;
        resolve({ status: res.statusCode!, body, protocol, serial });
      },
    );
    req.on("error", reject);
    req.end(method === "POST" ? "{}" : undefined);
  });

test("tlsserver.deploy serves HTTPS and nothing else on the port", async (t) => {
  const { port, url, taken } = await startTls(t);
  assert.match(url, /^https:/);
  const serial = serialOf(pki.server);
  assert.deepEqual(await call(port, "POST", "/"), { status: 200, body: "", protocol: "TLSv1.3", serial });
  assert.equal(taken.length, 1);
  assert.equal(
    await sendRaw(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
  );
});

test("TLS 1.2 is spoken, TLS 1.1 is not", async (t) => {
  const { port } = await startTls(t);
  const old = await call(port, "GET", "/healthz", { maxVersion: "TLSv1.2" });
  assert.deepEqual([old.status, old.body, old.protocol], [200, '{"status": "ok"}', "TLSv1.2"]);
  const older = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  await assert.rejects(call(port, "GET", "/healthz", older));
});

test("with mutualtls a client shows a certificate that the CA signed, or is cut off", async (t) => {
  const { port, taken } = await startTls(t, { mutualtls: true });
  await assert.rejects(call(port, "POST", "/"));
  await assert.rejects(call(port, "POST", "/", pki.stranger));
  assert.equal(taken.length, 0);
  assert.equal((await call(port, "POST", "/", pki.client)).status, 200);
});

test("mutualtls without a CA file does not start: everybody would be let in", async (t) => {
  await assert.rejects(startTls(t, { mutualtls: true, cacertfile: "" }), /tlsserver\.mutualtls needs cacertfile/);
});

test("a certificate file that is missing stops the start and names its key, not its path", async (t) => {
  await assert.rejects(startTls(t, { certfile: "/nonexistent/canary.crt" }), (error: Error) => {
    assert.equal(error.message, "tlsserver.certfile cannot be read: ENOENT");
    return true;
  });
});

test("notlspaths move to the plain port: there other paths are 404, and here they are not known any more", async (t) => {
  const { port, plain, logged } = await startTls(t, { notlspaths: ["/ping", "/nope"] });
  assert.equal((await call(port, "POST", "/")).status, 200);
  const moved = await call(port, "GET", "/ping");
  assert.deepEqual([moved.status, moved.body], [400, "Please send with post http method\n"]);
  assert.equal((await call(port, "GET", "/healthz")).body, '{"status": "ok"}');
  const ask = (method: string, path: string) =>
    raw(plain, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  assert.equal((await ask("GET", "/ping")).body, "pong\n");
  for (const [method, path] of [
    ["GET", "/healthz"],
    ["POST", "/"],
    ["GET", "/nope"],
  ] as const) {
    const reply = await ask(method, path);
    assert.equal(reply.status, 404);
    assert.equal(reply.body, "404 page not found\n");
    assert.equal(reply.headers["Content-Type"], "text/plain; charset=utf-8");
    assert.equal(reply.headers["X-Content-Type-Options"], "nosniff");
  }
  assert.ok(logged.some((line) => line.includes("tlsserver.notlspaths has unknown path '/nope'")));
});

test("the catch-all can be moved to the plain port as well", async (t) => {
  const { port, plain, taken } = await startTls(t, { notlspaths: ["/"] });
  assert.equal(
    (await raw(plain, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")).status,
    200,
  );
  assert.equal(taken.length, 1);
  assert.equal((await call(port, "POST", "/")).status, 404);
});

const served = async (port: number): Promise<string> => (await call(port, "GET", "/healthz")).serial;

test("a renewed certificate is served without a restart, and a broken one leaves the old in place", async (t) => {
  const { port, files, logged } = await startTls(t);
  assert.equal(await served(port), serialOf(pki.server));
  writeFileSync(files.keyfile, pki.renewed.key);
  writeFileSync(files.certfile, pki.renewed.cert);
  await until("the renewed certificate is served", async () => (await served(port)) === serialOf(pki.renewed));
  writeFileSync(files.certfile, "garbage");
  await until("the broken one is told", async () => logged.some((line) => line.includes("cannot be used")));
  assert.equal(await served(port), serialOf(pki.renewed));
  assert.ok(!logged.some((line) => line.includes("PRIVATE")));
});

test("a reload keeps asking for client certificates", async (t) => {
  const { port, files, logged } = await startTls(t, { mutualtls: true });
  writeFileSync(files.keyfile, pki.renewed.key);
  writeFileSync(files.certfile, pki.renewed.cert);
  await until(
    "the renewed certificate is served",
    async () => (await call(port, "GET", "/ping", pki.client)).serial === serialOf(pki.renewed),
  );
  await assert.rejects(call(port, "POST", "/"));
  assert.ok(logged.some((line) => line.includes("reloaded")));
});

test("a handshake that stalls or is garbage harms nobody", async (t) => {
  const { port } = await startTls(t);
  const stalled = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  stalled.on("error", () => {});
  stalled.destroy();
  await sendRaw(port, Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]));
  await sendRaw(port, Buffer.alloc(1000, 0xff));
  assert.equal((await call(port, "POST", "/")).status, 200);
});
