import assert from "node:assert/strict";
import { test } from "node:test";
import { rememberAuthor } from "../../../src/audit/body/authors.ts";
import { auditFields } from "../../../src/audit/catalog.ts";
import { jsonFields } from "../../../src/fields/json.ts";
import { catalogOf, type FieldCatalog } from "../../../src/sdk/catalog.ts";
import type { JsonEvent } from "../../../src/sdk/json-event.ts";
import { ask, auditEvent, openText } from "./support.ts";

const openRaw = (text: string) => openText({ source: "k8s_audit", text }, 1, 0) ?? assert.fail(text);
const open = (event: object) => openRaw(auditEvent(event));
const shown = (event: object, name: string) => ask(auditFields, open(event), name);

/** Of a kubelet: CN=system:node:node-9, O=system:nodes. */
const nodeRequest =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQ2VUQ0NBV0VDQVFBd05ERVZNQk1HQTFVRUNnd01jM2x6ZEdWdE9tNXZaR1Z6TVJzd0dRWURWUVFEREJKegplWE4wWlcwNmJtOWtaVHB1YjJSbExUa3dnZ0VpTUEwR0NTcUdTSWIzRFFFQkFRVUFBNElCRHdBd2dnRUtBb0lCCkFRQ0o4MnZNT21OWGZhZzdJdk95RCtDOFpMdlp0UXdvMFhFNnc3Qk1kOU1IaTJvSUNDdkV0dEdzT2toRmRqNVMKMEtPejFEU2RTekFyWW1WREdCMkNmY200OW5pWlFXS3l3cFlGMFZ4MEcxanlOVGhCMmV5bzd5VWUzcWkrL1RMYwplQ2xVZVZGQUhLbnQzczhva3BCcmpIZkRscHF5RFU0b3Q4cjVGS0lWZ05uOC9OY0xzcmRXOGVNTmQrSjNpMkU1CjRkdjQxMXZrdy8wY05ydFZ4YTdaRDFsSSt0T0dhd09zODlxS01tb0NHdndSSEFXTVhYY2FTdnlhSTFvN1BrejEKNXIzdit1RFlOM2IwaWlVbmpwUHBpczlGZzg2NUxPRHVHSnVoSnVHWnExdnlMejA1ZWJtTG9LQWdKaWtvRXJHSApBajIwSWlRcnBWTVlxMGVyelhSVWtsYmRBZ01CQUFHZ0FEQU5CZ2txaGtpRzl3MEJBUXNGQUFPQ0FRRUFmb3dTCkZyRm9DSTdjdWFXREZWdXJlVm51K3UxaUFUUjcxNExubWdjM3ZLQkEvaVlVY29nSkgvQ3kwS2ViYUZxODhUSjYKRTNVZHdzNC8yUFEwRllTc3hBUDlRN1dXSS9ubHl5SWVTVjRVdUllUzVLM3ZhNDFsQjJHVk1WblJ3dGNCQ1JDUQpEcW5JRnphb0pCWE9tTW1nMCt5b2svNWhEYmk0NUJGZjRMeVZlTldCMDAzZnIvd2dxVURwc3RoQ2dVKy9DcVc5CjZoSTBaZDQvSy91eE05Y2labmZmdlJpMlBRVHJmSHVIblI2NG04eWQxVzNlUGRQOEJPQmFwUlJqQmpVdllQL1cKSG9aTXJjZVB2Y0pFRGFoYnVGSHdNak9GS2Yxc0E5eVJLT0xGcnpvSVIvV1N0Znc3SXBMa3F2YzFOSlNLS3BIcwpnZDRCS1JpTmFFeEpjRExVWGc9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";

const patched = (requestObject: unknown, more: object = {}) => ({ verb: "patch", requestObject, ...more });
const role = { kind: "Role", rules: [{ verbs: ["*"], resources: ["*"], apiGroups: [""] }] };

test("ka.obj is the object after the request: the answer, else what the request sets, whatever the verb and the patch", () => {
  const verbs = (event: object) => shown(event, "ka.obj.role.rules.verbs");
  assert.deepEqual(verbs({ verb: "create", requestObject: role }), ["*"]);
  assert.deepEqual(verbs({ verb: "update", requestObject: role }), ["*"]);
  assert.deepEqual(verbs(patched({ rules: role.rules })), ["*"]);
  for (const path of ["/rules/-", "/rules/0", "anything/rules/-"])
    assert.deepEqual(verbs(patched([{ op: "add", path, value: role.rules[0] }])), ["*"], path);
  assert.deepEqual(verbs(patched([{ op: "replace", path: "/rules", value: role.rules }])), ["*"]);
  assert.deepEqual(verbs(patched([{ op: "replace", path: "/rules/0/verbs/0", value: "bind" }])), ["bind"]);
  assert.deepEqual(verbs(patched([{ op: "replace", path: "", value: role }])), ["*"]);
  assert.deepEqual(verbs(patched({ metadata: {} }, { responseObject: role })), ["*"]);
  assert.equal(verbs({ verb: "delete", requestObject: role }), undefined);
  assert.equal(verbs(patched([{ op: "test", path: "/rules", value: role.rules }])), undefined);
  assert.equal(
    verbs(
      patched([
        { op: "add", path: "/rules", value: role.rules },
        { op: "remove", path: "/rules" },
      ]),
    ),
    undefined,
  );
  // A refusal shows no object.
  const refused = { kind: "Status", status: "Failure", rules: [{ verbs: ["x"] }] };
  assert.deepEqual(verbs({ verb: "create", requestObject: role, responseObject: refused }), ["*"]);
});

test("of equal keys ka.obj and ka.podspec take the last, as API servers do, and ka.req the first, as Falco does", () => {
  const event = openRaw(
    '{"auditID":"a","verb":"patch","requestObject":{"spec":{"containers":[{"name":"c","securityContext":{"privileged":false,' +
      '"privil\\u0065ged":true}}]},"data":{"a":"x","a":"p\\u0061ssword"},"spec2":1}}',
  );
  assert.deepEqual(ask(auditFields, event, "ka.podspec.containers.privileged"), ["true"]);
  assert.deepEqual(ask(auditFields, event, "ka.obj.pod.containers.privileged"), ["true"]);
  assert.deepEqual(ask(auditFields, event, "ka.req.pod.containers.privileged"), ["false"]);
  assert.match(String(ask(auditFields, event, "ka.obj.configmap.obj")), /"a":"password"/);
  assert.equal(ask(auditFields, event, "ka.req.equal_keys"), "true");
  assert.equal(shown(patched({ a: { b: 1 }, c: { b: 1 } }), "ka.req.equal_keys"), "false");
  assert.equal(shown(patched([]), "ka.req.json_patch"), "true");
  assert.equal(shown(patched({}), "ka.req.json_patch"), "false");
});

test("ka.touches: a patch writes at, above and below its paths; what is not to be seen may be written", () => {
  const label = "ka.touches[/metadata/labels/a~1b]";
  const yes: readonly object[] = [
    { verb: "create", requestObject: {} },
    { verb: "patch" },
    patched({ metadata: { labels: null } }),
    patched({ metadata: { labels: { "a/b": null } } }),
    patched({ metadata: { labels: { $patch: "replace" } } }),
    patched([{ op: "remove", path: "/metadata/labels" }]),
    patched([{ op: "replace", path: "", value: {} }]),
    patched([{ op: "add", path: "x/metadata/labels/a~1b", value: "1" }]),
    patched([{ op: "move", from: "/metadata/labels/a~1b", path: "/metadata/labels/c" }]),
  ];
  const no: readonly object[] = [
    patched({ metadata: { labels: { c: "1" } } }),
    patched({ metadata: { labels: {} } }),
    patched({ spec: null }),
    patched([{ op: "add", path: "/metadata/labels/a", value: "1" }]),
    patched([{ op: "copy", from: "/metadata/labels/a~1b", path: "/metadata/labels/c" }]),
    patched([{ op: "test", path: "/metadata/labels/a~1b", value: "1" }]),
  ];
  for (const event of yes) assert.equal(shown(event, label), "true", JSON.stringify(event));
  for (const event of no) assert.equal(shown(event, label), "false", JSON.stringify(event));
  const scaled = patched({ spec: { replicas: 2 } });
  assert.equal(shown(scaled, "ka.touches.podspec[containers]"), "false");
  assert.equal(shown(scaled, "ka.touches[/spec]"), "true");
  for (const spec of [
    { template: { spec: { initContainers: [] } } },
    { jobTemplate: { spec: { template: { spec: { containers: [] } } } } },
  ])
    assert.equal(shown(patched({ spec }), "ka.touches.podspec[containers]"), "true");
});

test("ka.dryrun: the query counts for changes, of a deletion the body does", () => {
  const uri = "/api/v1/namespaces/a/pods/b?dryRun=All";
  const dry = (event: object) => shown({ requestURI: uri, level: "RequestResponse", ...event }, "ka.dryrun");
  for (const verb of ["create", "update", "patch"]) assert.equal(dry({ verb }), "true", verb);
  for (const verb of ["delete", "deletecollection"]) {
    assert.equal(dry({ verb, requestObject: { kind: "DeleteOptions" } }), "false", verb);
    assert.equal(dry({ verb, requestObject: { dryRun: ["All"] }, requestURI: "/x" }), "true", verb);
    assert.equal(dry({ verb }), "true", `${verb} without a body`);
    assert.equal(dry({ verb, level: "Metadata" }), "false", `${verb}, body unknown`);
    assert.equal(dry({ verb, annotations: { "audit.k8s.io/truncated": "true" } }), "false", `${verb}, body cut`);
  }
  assert.equal(dry({ verb: "create", requestURI: "/x?dryRun=All;y" }), "false");
  assert.equal(dry({ verb: "create", requestURI: "/x?dryrun=All" }), "false");
  assert.equal(dry({ verb: "create", objectRef: { subresource: "token" } }), "false");
  const eviction = { verb: "create", requestURI: "/x", objectRef: { resource: "pods", subresource: "eviction" } };
  assert.equal(dry({ ...eviction, requestObject: { deleteOptions: { dryRun: ["All"] } } }), "true");
});

test("host paths are shown clean, those of volumes too, with what lies above them", () => {
  const pod = (...paths: string[]) => ({
    requestObject: { spec: { volumes: paths.map((path) => ({ hostPath: { path } })) } },
  });
  assert.deepEqual(shown(pod("//etc/.", "/a/./b//", "/", "etc/", "/a/../b"), "ka.podspec.volumes.hostpath"), [
    "/etc",
    "/a/b",
    "/",
    "/etc",
    "/b",
  ]);
  assert.deepEqual(shown(pod("/a/b/c"), "ka.podspec.volumes.hostpath.tree"), ["/a/b/c", "/a/b", "/a"]);
  assert.deepEqual(shown(pod("/etcetera", "/etc/x"), "ka.podspec.volumes.hostpath.under[/etc]"), ["/etc/x"]);
  assert.deepEqual(shown({ requestObject: { spec: { local: { path: "/etc/" } } } }, "ka.podspec.volumes.hostpath"), [
    "/etc",
  ]);
  assert.deepEqual(shown({ requestObject: { spec: { hostPath: { path: "/dev" } } } }, "ka.podspec.volumes.hostpath"), [
    "/dev",
  ]);
  const deep = `/etc${"/a".repeat(100_000)}`;
  assert.equal((shown(pod(deep), "ka.podspec.volumes.hostpath.tree") as string[]).at(-1), "/etc");
});

test("capabilities are shown by the kernel's names, and a HostProcess of Windows counts as privileged", () => {
  const spec = (securityContext: object) => ({ requestObject: { spec: { containers: [{ securityContext }] } } });
  assert.deepEqual(
    shown(
      spec({ capabilities: { add: ["sys_admin", "CAP_NET_RAW", "cap_bpf", "All"] } }),
      "ka.podspec.containers.add_capabilities",
    ),
    ["SYS_ADMIN", "NET_RAW", "BPF", "ALL"],
  );
  assert.deepEqual(shown(spec({ windowsOptions: { hostProcess: true } }), "ka.podspec.containers.privileged"), [
    "true",
  ]);
});

test("an image's publisher is its registry, with the folder where many share one", () => {
  const publisher = (image: string) =>
    shown({ requestObject: { spec: { containers: [{ image }] } } }, "ka.podspec.containers.image.publisher");
  for (const [image, wanted] of Object.entries({
    nginx: "docker.io/library",
    "falcosecurity/falco:1": "docker.io/falcosecurity",
    "index.docker.io/calico/node": "docker.io/calico",
    "docker.io/nginx": "docker.io/library",
    "registry.k8s.io/sig-storage/x:v1": "registry.k8s.io",
    "localhost/x": "localhost",
    "attacker.example:5000/registry.k8s.io/kube-proxy": "attacker.example:5000",
    "602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/kube-proxy@sha256:00": "602401143452.dkr.ecr.amazonaws.com",
    "602401143452.dkr.ecr.us-west-2.amazonaws.com.attacker.example/eks/x":
      "602401143452.dkr.ecr.us-west-2.amazonaws.com.attacker.example",
    "us-docker.pkg.dev/gke-release/a/b": "us-docker.pkg.dev/gke-release",
    "gke.gcr.io/netd": "gke.gcr.io",
    "quay.io/cilium/cilium": "quay.io/cilium",
  }))
    assert.deepEqual(publisher(image), [wanted], image);
});

test("the whole command line of an exec, with what a malformed query leaves of it; a session without one has an empty one", () => {
  const command = (query: string, subresource = "exec") =>
    shown({ requestURI: `/x/${subresource}${query}`, objectRef: { subresource } }, "ka.exec.command");
  assert.equal(command("?command=sh&command=-c&command=cat+%2Fetc%2Fshadow&stdin=true"), "sh -c cat /etc/shadow");
  assert.equal(command("?command=cat&command=/etc/shadow&%zz"), "cat /etc/shadow");
  assert.equal(command("?stdin=true", "attach"), "");
  assert.equal(shown({ requestURI: "/x" }, "ka.exec.command"), undefined);
});

test("who is bound by a binding of his own making: by name, group, service account, however many subjects come before", () => {
  const binding = (user: object, ...subjects: object[]) =>
    shown({ user, objectRef: { namespace: "shop" }, requestObject: { subjects } }, "ka.obj.binding.to_author");
  const alice = { username: "alice", groups: ["dev", "system:authenticated"] };
  const others = Array.from({ length: 20 }, (_, i) => ({ kind: "User", name: `u${i}` }));
  assert.equal(binding(alice, ...others, { kind: "User", name: "alice" }), "true");
  assert.equal(binding(alice, { kind: "Group", name: "dev" }), "true");
  assert.equal(binding(alice, { kind: "Group", name: "system:authenticated" }), "false");
  assert.equal(binding(alice, ...others), "false");
  const robot = { username: "system:serviceaccount:shop:robot", groups: [] };
  assert.equal(binding(robot, { kind: "ServiceAccount", name: "robot", namespace: "shop" }), "true");
  assert.equal(binding(robot, { kind: "ServiceAccount", name: "robot", namespace: "other" }), "false");
});

test("a controller's pods have the author of the workload that they come from", () => {
  const done = { stage: "ResponseComplete", responseStatus: { code: 201 }, verb: "create" };
  const owned = (kind: string, name: string) => ({ metadata: { ownerReferences: [{ kind, name, controller: true }] } });
  const made = (resource: string, name: string, username: string, responseObject: object) =>
    open({ ...done, user: { username }, objectRef: { resource, namespace: "authors", name }, responseObject });
  const pod = () =>
    made("pods", "web-1-x", "system:serviceaccount:kube-system:replicaset-controller", owned("ReplicaSet", "web-1"));
  const author = () => ask(auditFields, pod(), "ka.obj.author");
  assert.equal(author(), "ReplicaSet/web-1");
  rememberAuthor(made("deployments", "web", "alice", {}));
  rememberAuthor(
    made("replicasets", "web-1", "system:serviceaccount:kube-system:deployment-controller", owned("Deployment", "web")),
  );
  assert.equal(author(), "alice");
  rememberAuthor(made("replicasets", "web-1", "system:serviceaccount:kube-system:deployment-controller", {}));
  assert.equal(author(), "alice");
  assert.equal(shown({ user: { username: "bob" }, requestObject: {} }, "ka.obj.author"), "bob");
  assert.equal(shown({ user: { username: "bob" }, impersonatedUser: { username: "eve" } }, "ka.obj.author"), "eve");
});

test("a certificate signing request tells whom it asks to be, not who asks", () => {
  const csr = (request: string) => ({ requestObject: { spec: { request, username: "alice", groups: ["dev"] } } });
  assert.equal(shown(csr(nodeRequest), "ka.obj.csr.user"), "system:node:node-9");
  assert.deepEqual(shown(csr(nodeRequest), "ka.obj.csr.groups"), ["system:nodes"]);
  const pem = Buffer.from(nodeRequest, "base64").toString();
  const cut = Buffer.from(pem.replace(/[A-Za-z0-9+/]{40}\n/, "\n")).toString("base64");
  for (const odd of [
    "",
    "x",
    cut,
    Buffer.from("-----BEGIN CERTIFICATE REQUEST-----MIP//////-----END").toString("base64"),
  ])
    assert.doesNotThrow(() => shown(csr(odd), "ka.obj.csr.user"));
  assert.equal(shown(csr("bm90IFBFTQ=="), "ka.obj.csr.user"), undefined);
});

test("impersonated users have groups, and a name behind a blank for texts", () => {
  const event = { impersonatedUser: { username: "eve", groups: ["ops", "system:authenticated"] } };
  assert.deepEqual(shown(event, "ka.impuser.groups"), ["ops", "system:authenticated"]);
  assert.equal(shown(event, "ka.impuser.as"), " as=eve");
  assert.equal(shown({}, "ka.impuser.as"), "");
});

test("hostile patches are read in time linear in their size", () => {
  const many = Array.from({ length: 20_000 }, (_, i) => ({ op: "add", path: `/data/k${i}`, value: "v" }));
  assert.match(String(shown(patched(many), "ka.obj.configmap.obj")), /"k19999":"v"/);
  const deep = [
    { op: "add", path: "/a".repeat(50_000), value: 1 },
    { op: "add", path: "/data", value: { a: "b" } },
  ];
  assert.equal(shown(patched(deep), "ka.obj.configmap.obj"), '{"a":"b"}');
  for (const odd of [
    [1, null, "x", []],
    [{ op: {}, path: [], value: {} }],
    [{ op: "add" }],
    [{ op: "add", path: "/__proto__/x", value: 1 }],
  ])
    assert.doesNotThrow(() => shown(patched(odd), "ka.obj.configmap.obj"));
});

test("conditions compare the characters that JSON text means, whatever escapes it is shown with", () => {
  const event = openRaw(
    '{"auditID":"a","requestObject":{"data":{"a":"p\\u0061ss\\u0077ord\\/","b":"{\\"c\\":\\"\\\\u0061\\"}"}}}',
  );
  const compared = (fields: FieldCatalog<JsonEvent>["fields"], name: string, arg?: string) =>
    fields.get(name)?.bindCompared?.(arg)(event);
  assert.match(String(compared(auditFields.fields, "ka.req.configmap.obj")), /"a":"password\/"/);
  assert.match(String(ask(auditFields, event, "ka.req.configmap.obj")), /p\\u0061ss\\u0077ord\\\//);
  const json = catalogOf("k8s_audit", jsonFields).fields;
  for (const pointer of ["/requestObject", "/requestObject/data", ""])
    assert.match(String(compared(json, "jevt.value", pointer)), /"a":"password\/"/, pointer);
  // A text that holds JSON is a text.
  assert.equal(compared(json, "jevt.value", "/requestObject/data/b"), '{"c":"\\u0061"}');
});
