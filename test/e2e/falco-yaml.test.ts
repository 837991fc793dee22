import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openHttpSink } from "../fakes/http-sink.ts";
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
