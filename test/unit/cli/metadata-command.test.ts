import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { UsageError } from "../../../src/cli/command.ts";
import { metadata } from "../../../src/cli/metadata.ts";
import { runCommand } from "../../support/command-io.ts";
import { steering, steeringText } from "../../support/steering.ts";
import { startMetadata } from "../http/metadata-support.ts";

const startCommand = async (t: Parameters<typeof startMetadata>[0]) => {
  const started = await startMetadata(t, "s3cret");
  const run = (...args: string[]) =>
    runCommand(metadata, [...args, "--url", started.url], { OPERATORS_TOKEN: "s3cret" });
  return { ...started, run };
};

test("without an action it tells how each watch does", async (t) => {
  const { run } = await startCommand(t);
  const { code, stdout } = await run();
  assert.equal(code, 0);
  assert.match(stdout, /^objects +86 Pod, 5 Namespace/m);
  assert.match(stdout, /^c:45000 node-1 +connected, told everything, quiet for 12 s$/m);
  assert.match(stdout, /^API pods +connected, told everything, quiet for 3 s$/m);
  assert.match(stdout, /^c:45000 node-2 +not connected, has not told everything yet, last fault: no route \(14\)$/m);
  assert.equal(JSON.parse((await run("--json")).stdout).objects.Pod, 86);
});

test("list shows the objects of a kind or a namespace, and that there are more than asked for", async (t) => {
  const { run } = await startCommand(t);
  const { stdout } = await run("list", "--kind", "Deployment", "-n", "shop");
  assert.match(stdout, /^Deployment {2}shop\/web {2}\S+$/m);
  assert.doesNotMatch(stdout, /Pod/);
  const some = await run("list", "--limit", "3");
  assert.deepEqual([some.stdout.split("\n").length, some.stderr], [4, "and more: --limit 30\n"]);
  assert.equal((await run("list", "--kind", "Job")).stderr, "no such objects are known\n");
  const lines = (await run("list", "--kind", "Pod", "--json")).stdout.trimEnd().split("\n");
  assert.equal(new Set(lines.map((line) => JSON.parse(line).uid)).size, 86);
});

test("get shows a pod with what belongs to it", async (t) => {
  const { run } = await startCommand(t);
  const { stdout } = await run("get", "pod", "web-86ff99898-bfr8q", "-n", "shop");
  for (const line of [
    /^owner +Deployment web$/m,
    /^Service +web-lb$/m,
    /^ReplicaSet +web-86ff99898$/m,
    /^ {2}label +app=/m,
  ])
    assert.match(stdout, line);
  const { uid } = JSON.parse((await run("get", "pod", "web-86ff99898-bfr8q", "-n", "shop", "--json")).stdout).pod;
  assert.equal((await run("get", "pod", "--uid", uid)).stdout, stdout);
  const missing = await run("get", "pod", "nobody", "-n", "shop");
  assert.deepEqual([missing.code, missing.stderr], [1, "the hub refused: HTTP 404: no such pod is known\n"]);
});

test("nothing that senders wrote steers the terminal or makes a line", async (t) => {
  const { run, stream } = await startCommand(t);
  stream.put({
    kind: "Pod",
    uid: "h",
    name: `${steeringText}\nforged`,
    namespace: "hostile",
    labels: { [steeringText]: `x\nforged${steeringText}` },
  });
  for (const args of [
    ["list", "-n", "hostile"],
    ["get", "pod", "--uid", "h"],
    ["list", "-n", "hostile", "--json"],
  ]) {
    const { stdout } = await run(...args);
    assert.doesNotMatch(stdout.replaceAll("\n", ""), steering);
    assert.doesNotMatch(stdout, /^forged/m);
  }
});

const roles = (text: string) =>
  parseAllDocuments(text)
    .map((document) => document.toJS())
    .filter(({ kind }) => kind !== "ServiceAccount");

test("rbac prints the role that the page has, bound to the service account, and one for nodes alone", async () => {
  const page = readFileSync(new URL("../../../docs/kubernetes-metadata.md", import.meta.url), "utf8");
  const [, written = ""] = /```yaml\n(apiVersion: rbac.*?)```/s.exec(page) ?? [];
  const { stdout } = await runCommand(metadata, ["rbac"]);
  assert.deepEqual(roles(stdout), roles(written));
  const other = await runCommand(metadata, ["rbac", "-n", "security", "--service-account", "hub", "--nodes"]);
  const documents = parseAllDocuments(other.stdout).map((document) => document.toJS());
  assert.deepEqual(documents[0].metadata, { name: "hub", namespace: "security" });
  assert.deepEqual(documents[1].rules, [{ apiGroups: [""], resources: ["nodes"], verbs: ["list", "watch"] }]);
  assert.deepEqual(documents[2].subjects, [{ kind: "ServiceAccount", name: "hub", namespace: "security" }]);
});

test("the command line says what it lacks", async () => {
  for (const args of [
    ["get"],
    ["get", "pod", "x"],
    ["get", "node", "x", "-n", "y"],
    ["list", "x"],
    ["put"],
    ["--limit", "0"],
    ["rbac", "-n", 'x"'],
  ])
    await assert.rejects(runCommand(metadata, args), UsageError, args.join(" "));
});
