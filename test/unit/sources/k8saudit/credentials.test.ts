import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { makeAuthority } from "../../../fakes/certificates.ts";
import { until } from "../../../support/until.ts";
import { auditEvent } from "../../audit/support.ts";
import { request } from "./client.ts";
import { makeHub, openSource } from "./hub.ts";

const makeFolder = (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), "k8saudit-credentials-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
};

test("a token that is replaced in its file is asked for at once; a file that is emptied, blank or gone opens nothing", async (t) => {
  const file = makeFolder(t);
  const hub = makeHub();
  const path = file("token", "first\n");
  hub.secretFiles = { bearertoken: path };
  const { port } = await openSource(t, { listen: "http://127.0.0.1:0/k8s-audit", bearertoken: "first" }, hub);
  const status = async (token?: string): Promise<number> => {
    const authorization = token && { authorization: `Bearer ${token}` };
    const headers = { "content-type": "application/json", ...authorization };
    return (await request(port, { body: Buffer.from(auditEvent()), headers })).status;
  };
  assert.deepEqual([await status("first"), await status()], [200, 401]);
  file("token", "second\n");
  await until("the second token", async () => (await status("second")) === 200);
  assert.deepEqual([await status("first"), await status()], [401, 401]);
  for (const [round, spoil] of [
    () => file("token", ""),
    () => file("token", "  \n"),
    () => file("token", "two words\n"),
    () => rmSync(path),
  ].entries()) {
    spoil();
    await until("the fault is counted", () => hub.reloads.filter((one) => one === "error").length === round + 1);
    assert.deepEqual([await status("second"), await status(), await status("")], [200, 401, 401]);
  }
  assert.equal(
    hub.logged.filter(({ msg }) => /cannot be used, what was read before stays in force/.test(msg)).length,
    4,
  );
  file("token", "third");
  await until("the third token", async () => (await status("third")) === 200);
  assert.ok(!JSON.stringify(hub.logged).match(/first|second|third|two words/));
});

const authority = makeAuthority();
const other = makeAuthority();

const call = (port: number, ca: string, identity: object = {}) =>
  new Promise<{ status: number; serial: string }>((resolve, reject) => {
    const body = auditEvent();
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const options = { port, host: "127.0.0.1", path: "/k8s-audit", method: "POST", headers, ca, agent: false };
    const req = httpsRequest({ ...options, ...identity }, (res) => {
      const { serialNumber: serial } = (res.socket as TLSSocket).getPeerCertificate();
      res.resume();
      res.on("end", () => resolve({ status: res.statusCode ?? 0, serial }));
    });
    req.on("error", reject);
    req.end(body);
  });

test("a renewed certificate and other client authorities are used without a restart; what cannot be used opens nothing", async (t) => {
  const file = makeFolder(t);
  const hub = makeHub();
  const [first, second] = [authority.server(), authority.server()];
  const config = {
    listen: "https://127.0.0.1:0/k8s-audit",
    sslcertificate: file("server.pem", first.key + first.cert),
    clientcafile: file("clients.pem", authority.ca),
  };
  const { port } = await openSource(t, config, hub);
  const serial = ({ cert }: { readonly cert: string }): string => new X509Certificate(cert).serialNumber;
  const [good, stranger] = [authority.client("kube-apiserver"), other.client("kube-apiserver")];
  const serves = async (): Promise<string> => (await call(port, authority.ca, good)).serial;
  assert.equal(await serves(), serial(first));
  file("server.pem", second.key + second.cert);
  await until("the renewed certificate", async () => (await serves()) === serial(second));
  for (const [round, spoil] of [
    () => file("clients.pem", ""),
    () => file("clients.pem", authority.server().key),
    () => rmSync(config.clientcafile),
    () => file("server.pem", first.key + second.cert),
  ].entries()) {
    spoil();
    await until("the fault is counted", () => hub.reloads.filter((one) => one === "error").length === round + 1);
    assert.equal(await serves(), serial(second));
    await assert.rejects(call(port, authority.ca), "no certificate");
    await assert.rejects(call(port, authority.ca, stranger), "a certificate of somebody else");
  }
  file("server.pem", second.key + second.cert);
  file("clients.pem", other.ca);
  await until("the other authority", () =>
    call(port, authority.ca, stranger).then(
      () => true,
      () => false,
    ),
  );
  await assert.rejects(call(port, authority.ca, good));
});

test("a client authority that cannot be used stops the start", async (t) => {
  const file = makeFolder(t);
  const { key, cert } = authority.server();
  const sslcertificate = file("server.pem", key + cert);
  for (const clientcafile of [file("empty", ""), file("key", key), join(tmpdir(), "none.pem")])
    await assert.rejects(
      openSource(t, { listen: "https://127.0.0.1:0/k8s-audit", sslcertificate, clientcafile }, makeHub()),
      /^Error: clientcafile: the file (?:holds no certificate|cannot be read \(ENOENT\))/,
    );
});
