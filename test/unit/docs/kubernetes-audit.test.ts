import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { apiserverFlags } from "../../../src/cli/audit-config.ts";
import { scratch, startHub } from "../../support/hub-process.ts";
import { until } from "../../support/until.ts";

const root = join(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docs/kubernetes-audit.md"), "utf8");
const blocks = (kind: string): readonly string[] =>
  Array.from(page.matchAll(new RegExp(`^\`\`\`${kind}\n([\\s\\S]*?)^\`\`\`$`, "gm")), ([, text = ""]) => text);

/** As a reader pastes it, in a folder of its own. */
const paste = (text: string, cwd: string): string =>
  execFileSync(
    "sh",
    ["-ec", text.replaceAll("npm run -s eyrie --", `${process.execPath} ${join(root, "src/eyrie.js")}`)],
    {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
    },
  );

/** What the API server writes of `kubectl create configmap first-event …` under the page's policy. */
const firstEvent = {
  kind: "Event",
  apiVersion: "audit.k8s.io/v1",
  level: "Request",
  auditID: "1",
  stage: "ResponseComplete",
  requestURI: "/api/v1/namespaces/default/configmaps?fieldManager=kubectl-create&fieldValidation=Strict",
  verb: "create",
  user: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
  sourceIPs: ["127.0.0.1"],
  objectRef: { resource: "configmaps", namespace: "default", name: "first-event", apiVersion: "v1" },
  responseStatus: { code: 201 },
  requestObject: { kind: "ConfigMap", metadata: { name: "first-event" }, data: { aws_access_key_id: "test" } },
  stageTimestamp: "2026-11-27T10:00:00.000000Z",
};

test("the page, followed from step to step, connects an API server", async (t) => {
  const { dir, remove } = scratch();
  t.after(remove);
  const [certificate = "", files = "", probe = ""] = blocks("sh");
  paste(certificate, dir);
  for (const secret of ["audit.key", "audit.pem", "token"])
    assert.equal(statSync(join(dir, secret)).mode & 0o077, 0, secret);
  const said = paste(files, dir);
  for (const flag of apiserverFlags) {
    assert.ok(said.includes(flag), flag);
    assert.ok(page.includes(`\`${flag}\``), flag);
  }
  assert.match(probe, /--from-literal=aws_access_key_id=test/);

  const config = (blocks("yaml")[0] ?? "")
    .replaceAll("/etc/eyrie", dir)
    .replace(/^ *clientcafile.*\n/m, "")
    .replace("https://:9765", "https://127.0.0.1:0");
  const hub = await startHub({ datadir: dir, config });
  t.after(() => hub.stop());
  const listening = /"port":(\d+),"path":"\/k8s-audit"/;
  await until("the hub listens for audit events", () => listening.test(hub.output()));
  const port = listening.exec(hub.output())?.[1] ?? "";

  const { clusters, users } = parse(readFileSync(join(dir, "audit/audit-webhook.yaml"), "utf8"));
  const { server, "certificate-authority-data": ca } = clusters[0].cluster;
  const { hostname, pathname } = new URL(server);
  const send = (token: string, servername: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", items: [firstEvent] });
      const req = request(
        {
          host: "127.0.0.1",
          port,
          path: `${pathname}?timeout=30s`,
          method: "POST",
          servername,
          ca: Buffer.from(ca, "base64"),
          headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
          agent: false,
        },
        (res) => {
          res.resume();
          res.on("end", () => resolve(res.statusCode ?? 0));
        },
      );
      req.on("error", reject);
      req.end(body);
    });
  assert.equal(await send("wrong", hostname), 401);
  await assert.rejects(send(users[0].user.token, "other.example.com"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  assert.equal(await send(users[0].user.token, hostname), 200);
  await until("the alert", () => hub.output().includes("Create/Modify Configmap With Private Credentials"));
});

test("the certificate on the page holds the names and the address that the page tells to use", () => {
  const [certificate = ""] = blocks("sh");
  const held = /subjectAltName=([^"]+)/.exec(certificate)?.[1]?.split(",") ?? [];
  for (const [, host = ""] of page.matchAll(/--url https:\/\/([^:/ ]+):/g))
    assert.ok(held.includes(/^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`), host);
});

test("every command of the page is one that a checkout has", () => {
  for (const text of blocks("sh"))
    for (const [, word = ""] of text.matchAll(/^(\w+) /gm))
      assert.ok(["umask", "openssl", "cat", "npm", "kubectl"].includes(word), word);
});
