import assert from "node:assert/strict";
import { readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type HttpSink, openHttpSink } from "../fakes/http-sink.ts";
import { runEyrie } from "../support/command.ts";
import { type HubProcess, startHub } from "../support/hub-process.ts";
import { folderOf, rule } from "../support/rules-command.ts";
import { until } from "../support/until.ts";

interface Delivered {
  readonly uuid: string;
  readonly rule: string;
  readonly priority: string;
  readonly output: string;
  readonly source: string;
  readonly hostname: string;
  readonly time: string;
  readonly tags: readonly string[];
  readonly output_fields: Readonly<Record<string, unknown>>;
}

const delivered = (sink: HttpSink): readonly Delivered[] => sink.requests.map(({ body }) => JSON.parse(body));

const event = (extra: object, auditID = "id-1"): string =>
  JSON.stringify({
    kind: "Event",
    auditID,
    stage: "ResponseComplete",
    verb: "create",
    user: { username: "alice" },
    stageTimestamp: "2024-03-01T10:00:01.250000Z",
    ...extra,
  });

const portOf = (hub: HubProcess): string =>
  /"port":(\d+),"path":"\/k8s-audit"/.exec(hub.output())?.[1] ?? assert.fail("no audit listener");

const send = async (hub: HubProcess, events: readonly string[]): Promise<void> => {
  const reply = await fetch(`http://127.0.0.1:${portOf(hub)}/k8s-audit`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: `[${events.join(",")}]`,
  });
  assert.equal(reply.status, 200);
};

const configOf = (sink: HttpSink, more: object): string =>
  JSON.stringify({ k8saudit: { listen: "http://127.0.0.1:0/k8s-audit" }, webhook: { address: sink.url }, ...more });

const metricsOf = async (hub: HubProcess): Promise<string> => (await fetch(`${hub.url}/metrics`)).text();

test("an audit event becomes an alert in Falco's shape, dressed and routed like one that was posted", async () => {
  const { dir, at, remove } = folderOf({
    "r.yaml": rule("Made", "ka.verb = create", {
      output: "made %ka.target.name by %ka.user.name",
      tags: ["team"],
      priority: "CRITICAL",
    }),
  });
  const [all, some] = [await openHttpSink(), await openHttpSink()];
  const config = configOf(all, {
    webhook: [
      { name: "all", address: all.url },
      { name: "some", address: some.url, match: 'alert.tags intersects (team) and ka.target.name startswith "keep"' },
    ],
    rules_files: [at("r.yaml")],
    customfields: { cluster: "prod" },
    customtags: ["eyrie"],
    append_output: [{ match: { source: "k8s_audit" }, extra_output: "v=%ka.verb" }],
  });
  const hub = await startHub({ datadir: dir, config, env: { FALCO_HOSTNAME: "audit-host", TZ: "UTC" } });
  try {
    const names = ["drop", "keep-1"];
    await send(
      hub,
      names.map((name, i) => event({ objectRef: { resource: "pods", name } }, `id-${i}`)),
    );
    await all.received(2);
    await some.received(1);
    const alerts = delivered(all);
    const { uuid, ...first } = alerts.find((alert) => alert.output.includes("keep-1")) ?? assert.fail();
    assert.deepEqual(first, {
      output: "10:00:01.250000000: Critical made keep-1 by alice v=create",
      priority: "Critical",
      rule: "Made",
      time: "2024-03-01T10:00:01.25Z",
      output_fields: {
        cluster: "prod",
        "evt.time": 1709287201250000000,
        "ka.target.name": "keep-1",
        "ka.user.name": "alice",
        "ka.verb": "create",
      },
      source: "k8s_audit",
      tags: ["eyrie", "team"],
      hostname: "audit-host",
    });
    assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(new Set(alerts.map((alert) => alert.uuid)).size, 2);
    assert.deepEqual(
      delivered(some).map((alert) => alert.uuid),
      [uuid],
    );
    const metrics = await metricsOf(hub);
    assert.match(metrics, /^eyrie_rule_matches_total\{rule="Made",priority="Critical",source="k8s_audit"\} 2$/m);
    assert.match(metrics, /^eyrie_rules_active 1$/m);
  } finally {
    assert.equal(await hub.stop(), 0);
    await Promise.all([all.close(), some.close()]);
    remove();
  }
});

/** As kubelet renews a ConfigMap: a new folder, then the link `..data` replaced in one step. */
const publish = (mount: string, version: string, files: Readonly<Record<string, string>>, write: Writer): void => {
  for (const [name, text] of Object.entries(files)) write(`mount/..${version}/${name}`, text);
  symlinkSync(`..${version}`, join(mount, "..data_tmp"));
  renameSync(join(mount, "..data_tmp"), join(mount, "..data"));
  for (const name of Object.keys(files))
    if (!readdirSync(mount).includes(name)) symlinkSync(join("..data", name), join(mount, name));
};

type Writer = (name: string, content: string) => string;

test("rules follow a ConfigMap's swap, stay when the new ones have errors or are gone, and are counted", async () => {
  const { dir, at, write, remove } = folderOf({ "mount/.keep": "" });
  const sink = await openHttpSink();
  publish(at("mount"), "1", { "r.yaml": rule("One", "ka.verb = create") }, write);
  const hub = await startHub({ datadir: dir, config: configOf(sink, { rules_files: [at("mount")] }) });
  let sent = 0;
  /** Rules that fire on one more event. */
  const fires = async (): Promise<readonly string[]> => {
    const before = sink.requests.length;
    await send(hub, [event({}, `id-${++sent}`)]);
    await sink.received(before + 1);
    return delivered(sink)
      .slice(before)
      .map((alert) => alert.rule);
  };
  const reloads = (outcome: string, n: number) =>
    until(`${n} reloads ended with ${outcome}`, async () =>
      (await metricsOf(hub)).includes(`eyrie_rules_reloads_total{outcome="${outcome}"} ${n}\n`),
    );
  try {
    assert.deepEqual(await fires(), ["One"]);

    publish(at("mount"), "2", { "r.yaml": rule("Two", "ka.verb = create") }, write);
    await reloads("ok", 1);
    assert.deepEqual(await fires(), ["Two"]);

    publish(at("mount"), "3", { "r.yaml": rule("A", "ka.nosuch = 1") + rule("B", "ka.none = 1") }, write);
    await reloads("error", 1);
    assert.match(hub.output(), /r\.yaml:1:\d+: LOAD_ERR_COMPILE_CONDITION: [^\n]*ka\.nosuch/);
    assert.match(hub.output(), /r\.yaml:2:\d+: LOAD_ERR_COMPILE_CONDITION: [^\n]*ka\.none/);
    assert.deepEqual(await fires(), ["Two"]);

    rmSync(at("mount/..data"));
    await reloads("error", 2);
    assert.deepEqual(await fires(), ["Two"]);

    symlinkSync("..2", at("mount/..data"));
    write("mount/z.yaml", rule("Zed", "ka.verb = create") + rule("Two", "ka.verb = delete"));
    await reloads("ok", 2);
    assert.deepEqual(await fires(), ["Zed"]);
    assert.match(await metricsOf(hub), /^eyrie_rules_active 2$/m);
  } finally {
    assert.equal(await hub.stop(), 0);
    await sink.close();
    remove();
  }
});

test("rules with errors stop the start, all of them named with file, line and column; check-config names them too", async () => {
  const { dir, at, remove } = folderOf({ "r.yaml": rule("A", "ka.nosuch = 1") + rule("B", "ka.verb =") });
  const sink = await openHttpSink();
  try {
    await assert.rejects(
      startHub({ datadir: dir, config: configOf(sink, { rules_files: [at("r.yaml")] }) }),
      (error) => {
        const { message } = error as Error;
        assert.match(message, /r\.yaml:1:\d+: LOAD_ERR_COMPILE_CONDITION: filter_check called with nonexistent field/);
        assert.match(message, /r\.yaml:2:\d+: LOAD_ERR_COMPILE_CONDITION: expected a string value/);
        return true;
      },
    );
    const check = await runEyrie(["check-config", "-c", at("eyrie-test.yaml")]);
    assert.equal(check.code, 1);
    assert.match(check.stdout, /r\.yaml:1:\d+: LOAD_ERR_COMPILE_CONDITION: [^\n]*ka\.nosuch/);
  } finally {
    await sink.close();
    remove();
  }
});

test("a match that is no condition stops the start with its place in the file", async () => {
  const { dir, remove } = folderOf({});
  const config = "webhook:\n  address: http://127.0.0.1:1/\n  match: alert.priority in (Critical\n";
  try {
    await assert.rejects(
      startHub({ datadir: dir, config }),
      /yaml:3:\d+: webhook\.match\.condition: is no condition: expected a '\)' token/,
    );
  } finally {
    remove();
  }
});
