import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { parse } from "yaml";
import { sources } from "../../../../sources/index.ts";
import { auditConfig } from "../../../../src/cli/audit-config.ts";
import type { Command, CommandIo } from "../../../../src/cli/command.ts";
import { fields } from "../../../../src/cli/fields.ts";
import { makeAuthority } from "../../../fakes/certificates.ts";
import { auditEvent } from "../../audit/support.ts";

const folder = mkdtempSync(join(tmpdir(), "k8saudit-commands-"));
after(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const run = async (command: Command, args: readonly string[], stdin = "") => {
  let out = "";
  let err = "";
  const io: CommandIo = {
    env: {},
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    outputs: [],
    sources,
  };
  const code = await command(args, io);
  return { code, out, err };
};

const rows = (out: string): Record<string, unknown>[] =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("the table has a line for every field, with type, argument and sentence", async () => {
  const { code, out } = await run(fields, ["-l"]);
  assert.equal(code, 0);
  const line = (name: string) => out.split("\n").find((one) => one.startsWith(`${name} `)) ?? "";
  assert.match(line("ka.verb"), /^ka\.verb +string +What is done/);
  assert.match(line("ka.uri.param"), /^ka\.uri\.param +string +key +Value/);
  assert.match(line("ka.req.pod.containers.image"), / list of string +index, optional +Images/);
  assert.match(line("evt.rawtime"), / abstime +Time/);
  assert.equal((await run(fields, ["--list"])).out, out);
  assert.equal((await run(fields, [])).out, out);
});

test("the list comes as markdown and as JSON too", async () => {
  const { out } = await run(fields, ["--markdown"]);
  assert.match(out, /^\| field \| type \| argument \| what it is \|\n\| --- /);
  const described = JSON.parse((await run(fields, ["--json"])).out) as { name: string; about: string; list: boolean }[];
  assert.equal(out.trimEnd().split("\n").length, described.length + 2);
  assert.equal(new Set(described.map(({ name }) => name)).size, described.length);
  assert.ok(described.every(({ about }) => about.endsWith(".")));
});

test("each event becomes one object with every field that has a value", async () => {
  const event = auditEvent({
    verb: "get",
    user: { username: "alice", groups: ["a", "b"] },
    objectRef: { subresource: "" },
  });
  const { code, out } = await run(fields, ["-"], `${event}${event}\n`);
  assert.equal(code, 0);
  const [first, second] = rows(out);
  assert.equal(first?.["ka.verb"], "get");
  assert.deepEqual(first?.["ka.user.groups"], ["a", "b"]);
  assert.equal(first?.["ka.target.subresource"], "");
  assert.equal("ka.target.name" in (first ?? {}), false);
  assert.deepEqual([first?.["evt.num"], second?.["evt.num"]], [1, 2]);
  assert.equal(out.includes('"evt.rawtime":1709287201000000000'), true);
});

test("--select and --select-file choose fields, with their arguments", async () => {
  const event = auditEvent({ verb: "list", requestURI: "/api?limit=5,6&x=1", user: { groups: ["g"] } });
  const events = file("events.jsonl", `${event}\n`);
  const list = file("fields.txt", "# groups\nka.user.groups\n\njevt.value[/user/groups/0]\n");
  const { out } = await run(fields, [
    "--select",
    "ka.verb, ka.uri.param[limit],ka.target.name",
    "--select-file",
    list,
    events,
  ]);
  assert.deepEqual(rows(out), [
    { "ka.verb": "list", "ka.uri.param[limit]": "5,6", "ka.user.groups": ["g"], "jevt.value[/user/groups/0]": "g" },
  ]);
});

test("a field that does not exist, or is asked in a wrong way, is a fault of the command line", async () => {
  const events = file("one.jsonl", auditEvent());
  for (const [select, message] of [
    ["ka.verbs", /no field "ka\.verbs"/],
    ["ka.verb[x]", /takes no argument/],
    ["ka.uri.param", /needs an argument/],
    ["ka.req.pod.containers.image[x]", /takes an index/],
    ["ka.req.pod.containers.image[01]", /takes an index/],
  ] as const)
    await assert.rejects(run(fields, ["--select", select, events]), { name: "UsageError", message }, select);
});

test("bad lines are reported with file and number, a missing file with exit code 1", async () => {
  const events = file("bad.jsonl", `${auditEvent()}\n{oops\n`);
  const { code, out, err } = await run(fields, ["--select", "ka.auditid", events]);
  assert.deepEqual([code, rows(out)], [0, [{ "ka.auditid": "id-1" }]]);
  assert.match(err, /bad\.jsonl:2: not JSON/);
  assert.equal((await run(fields, [join(folder, "none")])).code, 1);
});

test("audit-config writes a policy and a kubeconfig that hold what they were given", async () => {
  const authority = makeAuthority();
  const client = authority.client("kube-apiserver");
  const out = join(folder, "audit");
  const { code } = await run(auditConfig, [
    ...["--url", "https://eyrie.example.com:9765/k8s-audit", "--out", out],
    ...["--ca", file("ca.pem", authority.ca), "--token-file", file("token", "t0ken\n")],
    ...["--client-cert", file("client.pem", client.cert), "--client-key", file("client.key", client.key)],
  ]);
  assert.equal(code, 0);
  const config = parse(readFileSync(join(out, "audit-webhook.yaml"), "utf8"));
  const { cluster } = config.clusters[0];
  const { user } = config.users[0];
  assert.equal(cluster.server, "https://eyrie.example.com:9765/k8s-audit");
  assert.equal(Buffer.from(cluster["certificate-authority-data"], "base64").toString(), authority.ca);
  assert.equal(user.token, "t0ken");
  assert.equal(Buffer.from(user["client-key-data"], "base64").toString(), client.key);
  assert.equal(statSync(join(out, "audit-webhook.yaml")).mode & 0o077, 0);
  const policy = parse(readFileSync(join(out, "audit-policy.yaml"), "utf8"));
  assert.equal(policy.kind, "Policy");
  const levels = new Set(["None", "Metadata", "Request", "RequestResponse"]);
  assert.ok(policy.rules.every((rule: { level: string }) => levels.has(rule.level)));
  assert.deepEqual(policy.rules.at(-1), { level: "Metadata" });
});

test("no rule of the policy shows the content of Secrets, and workloads and rights are shown whole", async () => {
  const { out } = await run(auditConfig, ["--url", "http://eyrie:9765/k8s-audit", "--print"]);
  const [policy] = out.split("---\n").map((text) => parse(text));
  type Rule = {
    level: string;
    verbs?: string[];
    users?: string[];
    userGroups?: string[];
    nonResourceURLs?: string[];
    resources?: { group: string; resources?: string[] }[];
  };
  const levelOf = (group: string, resource: string, verb: string): string =>
    policy.rules.find(
      (rule: Rule) =>
        !rule.users &&
        !rule.userGroups &&
        !rule.nonResourceURLs &&
        (rule.verbs?.includes(verb) ?? true) &&
        (rule.resources?.some((one) => one.group === group && (one.resources?.includes(resource) ?? true)) ?? true),
    ).level;
  const wanted: readonly (readonly [string, string, string, string])[] = [
    ["Metadata", "", "secrets", "create get patch delete list watch"],
    ["Metadata", "", "events", "delete deletecollection"],
    ["None", "", "events", "create patch"],
    // The token is in the answer only.
    ["Request", "", "serviceaccounts/token", "create"],
    ["Request", "", "pods/exec", "get create"],
    ["Request", "", "configmaps", "create update patch"],
    ["RequestResponse", "", "pods", "create patch delete"],
    ["RequestResponse", "", "pods/binding", "create"],
    ["RequestResponse", "", "pods/ephemeralcontainers", "patch update"],
    ["RequestResponse", "", "bindings", "create"],
    ["RequestResponse", "", "namespaces", "patch update"],
    ["RequestResponse", "", "namespaces/status", "patch update"],
    ["RequestResponse", "", "namespaces/finalize", "update"],
    ["RequestResponse", "", "persistentvolumes", "create patch"],
    ["RequestResponse", "apps", "deployments", "patch delete"],
    ["RequestResponse", "apps", "deployments/scale", "patch update"],
    ["RequestResponse", "batch", "cronjobs", "patch"],
    ["RequestResponse", "rbac.authorization.k8s.io", "rolebindings", "create patch"],
    ["RequestResponse", "networking.k8s.io", "networkpolicies", "delete"],
    ["RequestResponse", "networking.k8s.io", "ingresses", "create"],
    ["RequestResponse", "certificates.k8s.io", "certificatesigningrequests/approval", "update patch"],
    ["RequestResponse", "admissionregistration.k8s.io", "validatingwebhookconfigurations", "patch"],
  ];
  for (const [level, group, resource, verbs] of wanted)
    for (const verb of verbs.split(" ")) assert.equal(levelOf(group, resource, verb), level, `${verb} ${resource}`);
  assert.ok(!policy.omitStages.includes("ResponseStarted"));
  assert.equal(levelOf("", "nodes", "list"), "Metadata");
});

test("audit-config refuses what the API server would: no path, a certificate of another host, a key of another certificate", async () => {
  const authority = makeAuthority();
  const [one, other] = [authority.client("a"), authority.client("b")];
  const leaf = file("leaf.pem", authority.server("DNS:eyrie.example.com,IP:10.0.0.1").cert);
  const refused = async (args: readonly string[], why: RegExp): Promise<void> => {
    await assert.rejects(run(auditConfig, args), (error: Error) => {
      assert.equal(error.name, "UsageError");
      assert.match(error.message, why);
      return true;
    });
  };
  await refused(["--url", "https://eyrie.example.com:9765"], /path .*\/k8s-audit/);
  await refused(["--url", "http://10.0.0.1:9765?x=1"], /path/);
  await refused(["--url", "https://other:9765/k8s-audit", "--ca", leaf], /is for DNS:eyrie.*, not for other/);
  await refused(["--url", "https://10.0.0.2:9765/k8s-audit", "--ca", leaf], /not for 10\.0\.0\.2/);
  await refused(["--url", "https://e:1/k", "--ca", file("key.pem", one.key)], /holds no certificate/);
  await refused(["--url", "https://e:1/k", "--token-file", file("empty", "\n")], /holds no token/);
  const client = (key: string) => ["--client-cert", file("one.pem", one.cert), "--client-key", file("k.pem", key)];
  await refused(["--url", "https://e:1/k", ...client(other.key)], /key is not that of the certificate/);
  for (const host of ["eyrie.example.com", "10.0.0.1"])
    assert.equal(
      (await run(auditConfig, ["--url", `https://${host}:9765/k8s-audit`, "--ca", leaf, "--print"])).code,
      0,
    );
  const ca = file("authority.pem", authority.ca);
  assert.equal((await run(auditConfig, ["--url", "https://any:9765/k8s-audit", "--ca", ca, "--print"])).code, 0);
});

test("audit-config says what is missing, and never what a file holds", async () => {
  const secret = file("secret", "-----s3cret");
  for (const args of [
    [],
    ["--url", "eyrie:9765"],
    ["--url", "http://e/", "--ca", secret],
    ["--url", "https://e/", "--ca", secret],
    ["--url", "https://e/", "--client-cert", secret],
    ["--url", "https://e/", "--token-file", join(folder, "none")],
  ])
    await assert.rejects(
      run(auditConfig, args),
      (error: Error) => error.name === "UsageError" && !error.message.includes("s3cret"),
    );
});
