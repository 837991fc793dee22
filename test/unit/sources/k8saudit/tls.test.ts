import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import k8saudit from "../../../../sources/k8saudit/index.ts";
import { readInitConfig } from "../../../../sources/k8saudit/init-config.ts";
import { pemParts } from "../../../../sources/k8saudit/pem.ts";
import { makeAuthority } from "../../../fakes/certificates.ts";
import { auditEvent, golden } from "../../audit/support.ts";
import { request } from "./client.ts";
import { makeHub, openSource } from "./hub.ts";

const authority = makeAuthority();
const { cert, key } = authority.server();
const folder = mkdtempSync(join(tmpdir(), "k8saudit-tls-"));
after(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

interface Identity {
  readonly cert?: string;
  readonly key?: string;
}

const overHttp1 = (port: number, body: string, identity: Identity = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const options = {
      port,
      host: "127.0.0.1",
      path: "/k8s-audit?timeout=30s",
      method: "POST",
      headers,
      ca: authority.ca,
    };
    const req = httpsRequest({ ...options, ...identity, agent: false }, (res) => {
      res.resume();
      res.on("end", () => resolve(res.statusCode ?? 0));
    });
    req.on("error", reject);
    req.end(body);
  });

const overHttp2 = (port: number, bodies: readonly string[], identity: Identity = {}): Promise<readonly number[]> =>
  new Promise((resolve, reject) => {
    const session = connect(`https://127.0.0.1:${port}`, { ca: authority.ca, ...identity });
    session.on("error", reject);
    const answers = bodies.map(
      (body) =>
        new Promise<number>((done, failed) => {
          const stream = session.request({
            ":method": "POST",
            ":path": "/k8s-audit?timeout=30s",
            "content-type": "application/json",
          });
          let status = 0;
          stream.on("response", (headers) => {
            status = Number(headers[":status"]);
          });
          stream.on("error", failed);
          stream.on("end", () => (status > 0 ? done(status) : failed(new Error("no answer"))));
          stream.resume();
          stream.end(body);
        }),
    );
    Promise.all(answers)
      .then(resolve, reject)
      .finally(() => session.close());
  });

test("one PEM file with key and chain serves HTTP/1.1 and HTTP/2", async (t) => {
  const hub = makeHub();
  const sslcertificate = file("falco.pem", `some text\r\n${key}${cert}${authority.ca}`);
  const { port } = await openSource(t, { listen: "https://127.0.0.1:0/k8s-audit", sslcertificate }, hub);
  assert.equal(await overHttp1(port, auditEvent({}, "one")), 200);
  const many = Array.from({ length: 20 }, (_, i) => auditEvent({}, `two-${i}`));
  assert.deepEqual(
    await overHttp2(port, many),
    many.map(() => 200),
  );
  assert.equal(hub.taken.length, 21);
});

test("over HTTP/2 too, a body over the limit is refused with 413 and the session goes on", async (t) => {
  const hub = makeHub();
  const sslcertificate = file("limit.pem", key + cert);
  const config = { listen: "https://127.0.0.1:0/k8s-audit", sslcertificate, maxbatchsize: 4096 };
  const { port } = await openSource(t, config, hub);
  assert.deepEqual(await overHttp2(port, [auditEvent({ x: "a".repeat(200_000) }), auditEvent({})]), [413, 200]);
});

test("plain HTTP on the TLS port is answered with 400", async (t) => {
  const sslcertificate = file("plain.pem", key + cert);
  const { port } = await openSource(t, { listen: "https://127.0.0.1:0/k8s-audit", sslcertificate }, makeHub());
  const reply = await request(port, { body: Buffer.from(auditEvent()) });
  assert.equal(reply.status, 400);
});

test("client certificates are checked when an authority is named", async (t) => {
  const hub = makeHub();
  const config = {
    listen: "https://127.0.0.1:0/k8s-audit",
    sslcertificate: file("mutual.pem", key + cert),
    clientcafile: file("clients.pem", authority.ca),
  };
  const { port } = await openSource(t, config, hub);
  const good = authority.client("kube-apiserver");
  assert.equal(await overHttp1(port, auditEvent({}, "a"), good), 200);
  assert.deepEqual(await overHttp2(port, [auditEvent({}, "b")], good), [200]);
  await assert.rejects(overHttp1(port, auditEvent({}, "c")));
  const stranger = makeAuthority().client("kube-apiserver");
  await assert.rejects(overHttp1(port, auditEvent({}, "d"), stranger));
  await assert.rejects(overHttp2(port, [auditEvent({}, "e")], stranger));
  assert.equal(hub.taken.length, 2);
});

test("every recorded layout of a PEM file is taken or refused as recorded", () => {
  const layouts: Record<string, string> = {
    "key+cert": key + cert,
    "cert+key": cert + key,
    "text around": `Bag Attributes\n${key}\nsubject=x\n${cert}\nend`,
    crlf: (key + cert).replaceAll("\n", "\r\n"),
    "key only": key,
    "cert only": cert,
    garbage: "nothing",
  };
  for (const line of golden("tls_init")) {
    if (line.pem === undefined) continue;
    const layout = layouts[line.pem];
    assert.ok(layout, line.pem);
    if (line.events === 1) {
      const parts = pemParts(layout);
      assert.ok(createPublicKey(parts.key).equals(createPublicKey(parts.cert)), line.pem);
    } else assert.throws(() => pemParts(layout), /^Error: sslcertificate: /, line.pem);
  }
});

test("every recorded init_config is read or refused as recorded", () => {
  for (const line of golden("tls_init")) {
    if (line.config === undefined) continue;
    const read = readInitConfig(line.init_config);
    assert.equal("fault" in read, line.init_error !== undefined, line.init_config);
    if ("fault" in read) continue;
    const [, ssl, async, size, batch] =
      /SSLCertificate:(\S+) UseAsync:(\S+) MaxEventSize:(\d+) WebhookMaxBatchSize:(\d+)/.exec(
        line.config,
      ) as unknown as readonly string[];
    const seen = {
      sslCertificate: "/etc/falco/falco.pem",
      useAsync: true,
      maxEventSize: 262144,
      webhookMaxBatchSize: 12582912,
      ...read,
    };
    assert.deepEqual(
      [seen.sslCertificate, String(seen.useAsync), String(seen.maxEventSize), String(seen.webhookMaxBatchSize)],
      [ssl, async, size, batch],
    );
  }
});

test("a plugin of falco.yaml becomes the source's configuration", () => {
  const plugin = { name: "k8saudit", libraryPath: "libk8saudit.so" };
  const from = (initConfig: unknown, openParams: unknown) =>
    k8saudit.fromPlugin?.({ ...plugin, initConfig, openParams });
  assert.deepEqual(from("", "http://:9765/k8s-audit"), { listen: "http://:9765/k8s-audit" });
  assert.deepEqual(from(null, null), { listen: "http://:9765/k8s-audit" });
  assert.deepEqual(from('{"SSLCertificate":"/x","webhookMaxBatchSize":5}', "https://:8765/k8s-audit"), {
    sslcertificate: "/x",
    maxbatchsize: 5,
    listen: "https://:8765/k8s-audit",
  });
  assert.deepEqual(from({ maxEventBytes: 7 }, { listen: "http://:1/x", cluster: "c" }), {
    maxbatchsize: 7,
    listen: "http://:1/x",
    cluster: "c",
  });
  assert.deepEqual(from({}, "file:///var/log/audit.log"), { file: "/var/log/audit.log", follow: true, fromend: true });
  assert.deepEqual(from({}, " /var/log/audit.log "), { file: "/var/log/audit.log" });
  assert.equal(k8saudit.fromPlugin?.({ ...plugin, name: "json", initConfig: "", openParams: "" }), undefined);
  const broken = from({ maxEventSize: "5" }, "http://:1/x") as { listen: string };
  assert.deepEqual(k8saudit.check?.({ ...broken, file: "" } as never), [
    "init_config.maxEventSize must be a whole number",
  ]);
});

test("what was to ask who sends is not ignored where the plugin has no such key", () => {
  for (const key of ["bearertoken", "bearerTokens", "BEARER_TOKEN", "bearertoken_file", "clientCAFile", "client_ca"])
    assert.ok("fault" in readInitConfig({ [key]: "" }), key);
  assert.deepEqual(readInitConfig({ somethingElse: "" }), {});
});
