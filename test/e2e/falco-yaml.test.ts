import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
import { falcoAlert } from "../support/alerts.ts";
import { startHub } from "../support/hub-process.ts";
import { folderOf, rule } from "../support/rules-command.ts";
import { until } from "../support/until.ts";

const event = JSON.stringify({
  kind: "Event",
  auditID: "id-1",
  stage: "ResponseComplete",
  verb: "create",
  user: { username: "alice" },
  stageTimestamp: "2024-03-01T10:00:01.250000Z",
});

test("a falco.yaml of Falco 0.31 does here what it did there: it hears audit events, posts, writes and prints alerts", async () => {
  const { dir, at, remove } = folderOf({
    "r.yaml": rule("Made", "ka.verb = create", { output: "made by %ka.user.name" }),
  });
  const sink = await openHttpSink();
  writeFileSync(at("more.yaml"), `file_output: {enabled: true, keep_alive: false, filename: ${at("events.txt")}}\n`);
  const config = `config_files: [${at("more.yaml")}]
rules_file: [${at("r.yaml")}]
json_output: false
stdout_output: {enabled: true}
http_output: {enabled: true, url: '${sink.url}/falco', user_agent: mine}
program_output: {enabled: true, program: mail}
webserver: {enabled: true, listen_address: 127.0.0.1, listen_port: 0, k8s_audit_endpoint: /k8s-audit}
`;
  const hub = await startHub({ datadir: dir, config });
  try {
    const port = /"port":(\d+),"path":"\/k8s-audit"/.exec(hub.output())?.[1] ?? assert.fail("no audit listener");
    const headers = { "Content-Type": "application/json" };
    const reply = await fetch(`http://127.0.0.1:${port}/k8s-audit`, { method: "POST", headers, body: event });
    assert.equal(reply.status, 200);
    await sink.received(1);
    const file = at("events.txt");
    await until("the file has the alert", () => existsSync(file) && readFileSync(file, "utf8").endsWith("\n"));
    const line = readFileSync(file, "utf8").trimEnd();
    assert.match(line, /^\S+: Warning made by alice$/);
    const [posted] = sink.requests;
    assert.equal(posted?.url, "/falco");
    assert.equal(posted?.body, line);
    assert.equal(posted?.headers["user-agent"], "mine");
    assert.equal(posted?.headers["content-type"], "text/plain");
    await until("the alert is printed", () => hub.output().includes(`${line}\n`));
    assert.match(hub.output(), /program_output: is not done/);
  } finally {
    assert.equal(await hub.stop(), 0);
    await sink.close();
    remove();
  }
  assert.ok(!existsSync(join(dir, "mail")));
});

test("an http_output that leads back to the hub under another name sends an alert once, and its dead letter says why", async () => {
  const { dir, remove } = folderOf({});
  let [hubUrl, passed] = ["", 0];
  // As a Service does that points at the hub.
  const service = createServer(async (req, res) => {
    passed++;
    const body = await new Response(req as unknown as ReadableStream).text();
    const headers = { "eyrie-http-output": String(req.headers["eyrie-http-output"] ?? "") };
    const reply = await fetch(hubUrl, { method: "POST", body, headers });
    res.writeHead(reply.status).end(await reply.text());
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
  const hub = await startHub({
    datadir: dir,
    config: `json_output: true\nhttp_output: {enabled: true, url: '${url}'}\n`,
  });
  hubUrl = hub.url;
  try {
    assert.equal((await fetch(hub.url, { method: "POST", body: JSON.stringify(falcoAlert(1)) })).status, 200);
    const dead = /^eyrie_dead_letters_total\{output="webhook.http_output".*\} 1$/m;
    await until("it is given up", async () => dead.test(await (await fetch(`${hub.url}/metrics`)).text()));
    assert.equal(passed, 1);
    assert.match(hub.output(), /http_output leads back to this hub/);
  } finally {
    await hub.stop();
    service.close();
    remove();
  }
});
