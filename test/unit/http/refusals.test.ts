import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import k8saudit from "../../../sources/k8saudit/index.ts";
import { makeAuthority } from "../../fakes/certificates.ts";
import { until } from "../../support/until.ts";
import { auditEvent } from "../audit/support.ts";
import { makeHub, parsed } from "../sources/k8saudit/hub.ts";
import { type ConfigOver, post, readAll, type Started, sendRaw, start } from "./support.ts";

const authority = makeAuthority();
const stranger = makeAuthority().client("somebody");
const server = authority.server();
const folder = mkdtempSync(join(tmpdir(), "eyrie-refusals-"));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const certfile = file("server.crt", server.cert);
const keyfile = file("server.key", server.key);
const cacertfile = file("ca.crt", authority.ca);
const pem = file("server.pem", server.cert + server.key);

/** The listener's port, and what it said. */
interface Listening extends Pick<Started, "sample" | "logged"> {
  readonly port: number;
}

const audit = async (t: TestContext, over: Readonly<Record<string, unknown>>, config: ConfigOver = {}) => {
  const { server: hub, sample, logged } = await start(t, config);
  const host = { ...makeHub().host, listen: hub.listenForSource("k8saudit") };
  const source = await k8saudit.open(parsed({ bearertoken: "s3cret-token", ...over }), host);
  t.after(() => source.close());
  return { port: source.port ?? 0, sample, logged };
};

const tlsserver = { deploy: true, certfile, keyfile, cacertfile, mutualtls: true };
const auth = { token: "s3cret-token" };
const listeners: Readonly<Record<string, (t: TestContext) => Promise<Listening>>> = {
  alerts: (t) =>
    start(t, { auth }, { take: async () => ({ accepted: 0, rejected: [{ index: 0, reason: "nothing" }] }) }),
  alerts_plain: async (t) => {
    const started = await start(t, { auth, tlsserver: { ...tlsserver, notlspaths: ["/ping"] } });
    return { ...started, port: Number(new URL(started.server.addresses()[1] ?? "").port) };
  },
  "alerts over TLS": (t) => start(t, { auth, tlsserver }),
  k8saudit: (t) => audit(t, { listen: "http://127.0.0.1:0/k8s-audit" }),
  "k8saudit over TLS": (t) =>
    audit(t, { listen: "https://127.0.0.1:0/k8s-audit", sslcertificate: pem, clientcafile: cacertfile }),
};

const close = "Host: x\r\nConnection: close\r\n";
const bearer = "Authorization: Bearer s3cret-token\r\n";
const json = "Content-Type: application/json\r\n";
const path = "/k8s-audit";

interface Attempt {
  readonly on: readonly string[];
  readonly reason: string;
  send(port: number): Promise<unknown>;
}

const plain = ["alerts", "k8saudit"];
const secure = ["alerts over TLS", "k8saudit over TLS"];
const handshake = (port: number, identity: object = {}) =>
  readAll(connectTls({ port, host: "127.0.0.1", ca: authority.ca, ...identity })).catch(() => "");

const attempts: Readonly<Record<string, Attempt>> = {
  "no token": { on: plain, reason: "unauthorized", send: (p) => post(p, "{}", [], path) },
  "a wrong token": { on: plain, reason: "unauthorized", send: (p) => post(p, "{}", ["Authorization: Bearer x"], path) },
  "a body that is nothing": {
    on: plain,
    reason: "invalid",
    send: (p) => sendRaw(p, `POST ${path} HTTP/1.1\r\n${close}${bearer}${json}Content-Length: 1\r\n\r\nx`),
  },
  "an Expect that nobody knows": {
    on: plain,
    reason: "bad_request",
    send: (p) => sendRaw(p, `POST ${path} HTTP/1.1\r\n${close}${bearer}${json}Expect: x\r\nContent-Length: 1\r\n\r\nx`),
  },
  "two names of a host": {
    on: plain,
    reason: "bad_request",
    send: (p) => sendRaw(p, `POST ${path} HTTP/1.1\r\nHost: y\r\n${close}${bearer}${json}Content-Length: 1\r\n\r\nx`),
  },
  "a path that is not clean": {
    on: plain,
    reason: "moved",
    send: (p) => sendRaw(p, `POST /${path} HTTP/1.1\r\n${close}${bearer}${json}Content-Length: 1\r\n\r\nx`),
  },
  "an absolute URL with another path": {
    on: ["k8saudit"],
    reason: "not_found",
    send: (p) => sendRaw(p, `POST http://x/other HTTP/1.1\r\n${close}${bearer}${json}Content-Length: 1\r\n\r\nx`),
  },
  "a body that is announced too large": {
    on: plain,
    reason: "too_large",
    send: (p) => sendRaw(p, `POST ${path} HTTP/1.1\r\n${close}${bearer}${json}Content-Length: 99999999999\r\n\r\nx`),
  },
  "an encoding that is not understood": {
    on: plain,
    reason: "encoding",
    send: (p) =>
      sendRaw(
        p,
        `POST ${path} HTTP/1.1\r\n${close}${bearer}${json}Content-Encoding: lzma\r\nContent-Length: 1\r\n\r\nx`,
      ),
  },
  "a body that ends early": {
    on: plain,
    reason: "aborted",
    send: async (p) => {
      const socket = connect(p, "127.0.0.1");
      socket.write(`POST ${path} HTTP/1.1\r\n${close}${bearer}${json}Content-Length: 9\r\n\r\nx`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.destroy();
    },
  },
  "another method": { on: plain, reason: "method", send: (p) => sendRaw(p, `PUT ${path} HTTP/1.1\r\n${close}\r\n`) },
  "a method of nobody": {
    on: plain,
    reason: "method",
    send: (p) => sendRaw(p, `GRAB ${path} HTTP/1.1\r\n${close}\r\n`),
  },
  "a path that is not served": {
    on: ["alerts_plain", "k8saudit"],
    reason: "not_found",
    send: (p) => post(p, "{}", [], "/elsewhere"),
  },
  "the wrong type": {
    on: ["k8saudit"],
    reason: "invalid",
    send: (p) => post(p, "{}", ["Authorization: Bearer s3cret-token"], path),
  },
  "a path of ten thousand characters": {
    on: [...plain, "alerts_plain"],
    reason: "uri_too_long",
    send: (p) => post(p, "{}", [], `/${"a/".repeat(5000)}`),
  },
  "too many headers": {
    on: [...plain, "alerts_plain"],
    reason: "headers_too_large",
    send: (p) => sendRaw(p, `GET / HTTP/1.1\r\n${close}${"a: b\r\n".repeat(20_000)}\r\n`),
  },
  "what is not HTTP": {
    on: [...plain, "alerts_plain"],
    reason: "bad_request",
    send: (p) => sendRaw(p, "\x00\x01\x02\r\n\r\n"),
  },
  "plain HTTP on a TLS port": { on: secure, reason: "plain_http", send: (p) => post(p, "{}") },
  "what is no handshake": { on: secure, reason: "tls", send: (p) => sendRaw(p, "\x16\x03\x01\x00\x05hello") },
  "a connection that ends within the handshake": {
    on: secure,
    reason: "tls",
    send: async (p) => {
      const socket = connect(p, "127.0.0.1");
      await once(socket, "connect");
      socket.destroy();
    },
  },
  "no certificate of the client": { on: secure, reason: "client_certificate", send: (p) => handshake(p) },
  "a stranger's certificate": { on: secure, reason: "client_certificate", send: (p) => handshake(p, stranger) },
  "a version of TLS that is too old": {
    on: secure,
    reason: "tls",
    send: (p) => handshake(p, { maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }),
  },
};

for (const [name, { on, reason, send }] of Object.entries(attempts))
  for (const which of on)
    test(`${which}: ${name} is counted under the listener and logged once with who and why`, async (t) => {
      const { port, sample, logged } = await listeners[which]!(t);
      const listener = which.split(" ")[0]!;
      const count = () => sample(`eyrie_refusals_total{listener="${listener}",reason="${reason}"}`);
      await send(port);
      await until("it is counted", async () => (await count()) === 1);
      await send(port);
      await until("it is counted again", async () => (await count()) === 2);
      const lines = logged.map((line) => JSON.parse(line)).filter((line) => line.reason === reason);
      assert.equal(lines.length, 1);
      assert.equal(lines[0].level, "warn");
      assert.equal(lines[0].listener, listener);
      assert.match(lines[0].remote, /127\.0\.0\.1/);
      assert.match(lines[0].msg, /^refused: [\w ]/);
      assert.ok(!logged.join().includes("s3cret-token"));
    });

test("seventy megabytes for the audit port without a token leave a trace and are not read", async (t) => {
  const { port, sample, logged } = await listeners.k8saudit!(t);
  const reply = await sendRaw(
    port,
    `POST ${path} HTTP/1.1\r\n${close}Content-Length: ${70 << 20}\r\n\r\n`,
    Buffer.alloc(1 << 20),
  );
  assert.match(reply, /^HTTP\/1\.1 401 /);
  assert.equal(await sample('eyrie_refusals_total{listener="k8saudit",reason="unauthorized"}'), 1);
  assert.equal(await sample('eyrie_intake_bytes_total{source="k8saudit"}'), 0);
  assert.ok(logged.some((line) => JSON.parse(line).reason === "unauthorized"));
});

test("an audit request over HTTP/2 is answered before its body comes, and its stream ends", async (t) => {
  const { port, sample } = await audit(t, { listen: "https://127.0.0.1:0/k8s-audit", sslcertificate: pem });
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: authority.ca });
  t.after(() => session.destroy());
  const ask = async (headers: Record<string, string>) => {
    const stream = session.request({ ":method": "POST", ":path": path, ...headers }, { endStream: false });
    stream.on("error", () => {});
    stream.write("[");
    const [answer] = await once(stream, "response");
    stream.resume();
    if (!stream.closed) await once(stream, "close");
    return answer[":status"];
  };
  const token = { authorization: "Bearer s3cret-token" };
  assert.equal(await ask({}), 401);
  assert.equal(await ask({ ...token, ":path": "/elsewhere" }), 404);
  assert.equal(await ask({ ...token, ":method": "PUT" }), 405);
  assert.equal(await ask({ ...token, "content-type": "text/plain" }), 400);
  for (const reason of ["unauthorized", "not_found", "method", "invalid"])
    assert.equal(await sample(`eyrie_refusals_total{listener="k8saudit",reason="${reason}"}`), 1, reason);
  const good = session.request({ ":method": "POST", ":path": path, ...token, "content-type": "application/json" });
  good.end(auditEvent());
  const [answer] = await once(good, "response");
  assert.equal(answer[":status"], 200);
});

test("many refusals within the time of one log line are told together", async (t) => {
  const { port, logged, sample } = await start(t, { auth });
  for (let i = 0; i < 20; i++) assert.equal((await post(port, "{}")).status, 401);
  assert.equal(await sample('eyrie_refusals_total{listener="alerts",reason="unauthorized"}'), 20);
  assert.equal(logged.length, 1);
});
