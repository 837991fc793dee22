import assert from "node:assert/strict";
import { test } from "node:test";
import { auditFields } from "../../../src/audit/catalog.ts";
import { jsonFields } from "../../../src/fields/json.ts";
import { catalogOf } from "../../../src/sdk/catalog.ts";
import { ask, auditEvent, golden, openText } from "./support.ts";

/** Fields whose value differs on purpose: decisions/audit-fields.md. */
const fixed = new Set(["ka.sourceips"]);

/** Of a query with a malformed part the original shows nothing, here the rest is shown: decisions/audit-fields.md. */
const queryKept = (spelled: string, recorded: Recorded, event: string): boolean =>
  spelled.startsWith("ka.uri.param[") &&
  recorded.absent === true &&
  /[?&][^"#]*(?:;|%(?![0-9a-fA-F]{2}))/.test(/"requestURI":"([^"]*)"/.exec(event)?.[1] ?? "");

interface Recorded {
  readonly value?: unknown;
  readonly value_b64?: string;
  readonly absent?: boolean;
}

/** Bytes that are no UTF-8 are shown as U+FFFD. */
const expected = (recorded: Recorded): unknown =>
  recorded.value_b64 === undefined ? recorded.value : Buffer.from(recorded.value_b64, "base64").toString();

const open = (text: string, timeNs?: string) =>
  openText({ source: "k8s_audit", text, ...(timeNs !== undefined && { timeNs }) }, 1, 0);

test("all hundred fields of the plugin are declared with their kinds", () => {
  for (const declared of golden("fields")) {
    const field = auditFields.fields.get(declared.name);
    assert.ok(field, declared.name);
    assert.deepEqual(
      [field.type, field.list, field.arg?.kind === "index", field.arg?.kind === "key", field.arg?.required ?? false],
      [declared.type, declared.list, declared.arg_index, declared.arg_key, declared.arg_required],
      declared.name,
    );
    assert.match(field.about, /^[A-Z].*\.$/);
  }
});

test("every recorded ka field has the recorded value, absent and empty told apart", () => {
  let compared = 0;
  for (const line of golden("extract")) {
    const event = open(line.accepted ? line.payload : line.event);
    if (line.fields === null) assert.equal(event, undefined, `${line.name} is no JSON`);
    if (line.fields === null || event === undefined) continue;
    for (const [spelled, recorded] of Object.entries<Recorded>(line.fields)) {
      if (fixed.has(spelled.replace(/\[.*/s, "")) || queryKept(spelled, recorded, line.event)) continue;
      assert.deepEqual(ask(auditFields, event, spelled), expected(recorded), `${line.name} ${spelled}`);
      compared++;
    }
  }
  assert.ok(compared > 59_000, String(compared));
});

test("every recorded json field has the recorded value, under both of its names", () => {
  const catalog = catalogOf("k8s_audit", jsonFields);
  let compared = 0;
  for (const line of golden("jevt")) {
    const event = open(line.payload, line.timestamp_ns);
    assert.ok(event, line.name);
    for (const [spelled, recorded] of Object.entries<Recorded>(line.fields)) {
      for (const name of [spelled, spelled.replace(/^json/, "jevt")])
        assert.deepEqual(ask(catalog, event, name), expected(recorded), `${line.name} ${name}`);
      compared++;
    }
  }
  assert.ok(compared > 7_900, String(compared));
});

test("a different ka.sourceips: the addresses that the event holds, where the original looks into a role's rules", () => {
  const event = open(
    auditEvent({ sourceIPs: ["203.0.113.7", "10.0.0.9"], requestObject: { rules: [{ sourceIPs: ["1"] }] } }),
  );
  assert.ok(event);
  assert.deepEqual(ask(auditFields, event, "ka.sourceips"), ["203.0.113.7", "10.0.0.9"]);
  assert.deepEqual(ask(auditFields, event, "ka.sourceips[1]"), ["10.0.0.9"]);
  assert.equal(ask(auditFields, event, "ka.sourceips[2]"), undefined);
  assert.deepEqual(ask(auditFields, event, "ka.sourceips.peer"), ["10.0.0.9"]);
});

test("a different ka.uri.param: a query's good values stay when a part of it is malformed, as in the API server itself", () => {
  const shown = (requestURI: string, name: string) => {
    const event = open(auditEvent({ requestURI }));
    assert.ok(event);
    return ask(auditFields, event, `ka.uri.param[${name}]`);
  };
  assert.equal(shown("/x?command=cat&stdout=true&%zz", "command"), "cat");
  assert.equal(shown("/x?a=1;b=2&command=id", "command"), "id");
  assert.equal(shown("/x?a=1;b=2&command=id", "a"), undefined);
  assert.equal(shown("/x?dryRun=All;x", "dryRun"), undefined);
  assert.equal(shown("/x?command=%zz&command=id", "command"), "id");
  assert.equal(shown("/x%zz?command=id", "command"), undefined);
});

test("the first of equal keys wins and numbers keep their spelling", () => {
  const event = open(`{"auditID":"a","verb":"get","verb":"delete","responseStatus":{"code":2.50,"reason":1e3}}`);
  assert.ok(event);
  assert.equal(ask(auditFields, event, "ka.verb"), "get");
  assert.equal(ask(auditFields, event, "ka.response.code"), "2.50");
  assert.equal(ask(auditFields, event, "ka.response.reason"), "1e3");
});

test("names of Object.prototype are keys like any other", () => {
  const event = open(auditEvent({ requestObject: { constructor: 1 }, objectRef: {} }));
  assert.ok(event);
  const catalog = catalogOf("k8s_audit", jsonFields);
  assert.equal(ask(catalog, event, "json.value[/requestObject/constructor]"), "1");
  assert.equal(ask(catalog, event, "json.value[/requestObject/__proto__]"), undefined);
  assert.equal(ask(catalog, event, "json.value[/objectRef/toString]"), undefined);
});

test("the listener's cluster stands in where the event names none", () => {
  const named = openText({ source: "k8s_audit", text: auditEvent(), cluster: "prod" }, 1, 0);
  const said = auditEvent({ annotations: { cluster_name: "gke" } });
  const own = openText({ source: "k8s_audit", text: said, cluster: "prod" }, 1, 0);
  assert.ok(named && own);
  assert.equal(ask(auditFields, named, "ka.cluster.name"), "prod");
  assert.equal(ask(auditFields, own, "ka.cluster.name"), "gke");
});

const pod = {
  hostNetwork: true,
  securityContext: { runAsUser: 1000, runAsNonRoot: true },
  initContainers: [
    {
      name: "i",
      image: "reg:5000/init@sha256:ab",
      securityContext: { runAsUser: 0, capabilities: { add: ["A", "B"] } },
    },
  ],
  containers: [
    {
      name: "c",
      image: "reg.example.com:5000/team/app:1",
      ports: [{ hostPort: 80 }, { containerPort: 9 }],
      command: ["sh", "-c"],
    },
    { image: "nginx", securityContext: { privileged: true, readOnlyRootFilesystem: true } },
  ],
  volumes: [
    { name: "v", hostPath: { path: "/etc" } },
    { name: "w", emptyDir: {} },
  ],
};

test("ka.podspec sees every container of every workload, one value each", () => {
  const workloads = {
    Pod: { spec: pod },
    Deployment: { spec: { template: { spec: pod } } },
    CronJob: { spec: { jobTemplate: { spec: { template: { spec: pod } } } } },
    PodTemplate: { template: { spec: pod } },
  };
  for (const [kind, requestObject] of Object.entries(workloads)) {
    const event = open(auditEvent({ requestObject }));
    assert.ok(event);
    const shown = (name: string) => ask(auditFields, event, `ka.podspec.${name}`);
    assert.deepEqual(shown("containers.name"), ["c", "", "i"], kind);
    assert.deepEqual(shown("containers.type"), ["container", "container", "init"], kind);
    assert.deepEqual(shown("containers.image.repository"), ["reg.example.com:5000/team/app", "nginx", "reg:5000/init"]);
    assert.deepEqual(shown("containers.image.tag"), ["1", "latest", ""]);
    assert.deepEqual(shown("containers.privileged"), ["false", "true", "false"]);
    assert.deepEqual(shown("containers.read_only_fs"), ["false", "true", "false"]);
    assert.deepEqual(shown("containers.eff_run_as_user"), ["1000", "1000", "0"]);
    assert.deepEqual(shown("containers.eff_run_as_user[2]"), ["0"]);
    assert.deepEqual(shown("containers.eff_run_as_group"), ["0", "0", "0"]);
    assert.deepEqual(shown("containers.eff_run_as_non_root"), ["true", "true", "true"]);
    assert.deepEqual(shown("containers.add_capabilities"), ["A", "B"]);
    assert.deepEqual(shown("containers.host_port"), ["80"]);
    assert.deepEqual(shown("containers.command"), ["sh -c", "", ""]);
    assert.deepEqual([shown("host_network"), shown("host_pid"), shown("host_ipc")], ["true", "false", "false"]);
    assert.deepEqual(shown("volumes.hostpath"), ["/etc"]);
    assert.deepEqual(shown("volumes.type"), ["hostPath", "emptyDir"]);
  }
});

test("ka.podspec has no value where there is no pod", () => {
  const event = open(auditEvent({ requestObject: { spec: { type: "NodePort", ports: [{ port: 1 }] } } }));
  assert.ok(event);
  for (const [name, field] of auditFields.fields)
    if (name.startsWith("ka.podspec.")) assert.equal(field.get(event, undefined), undefined, name);
});
