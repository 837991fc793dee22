import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import {
  changed,
  exampleOf,
  fired,
  loadPack,
  openObject,
  packCases,
  packPage,
  packTable,
  recordedLog,
  tableOf,
} from "../../support/rules-pack.ts";

const caseOf = (rule: string) => packCases.find((each) => each.rule === rule) ?? assert.fail(rule);

test("the pack loads without a problem or a warning, as generated code and as closures", () => {
  for (const mode of ["generated", "closures"] as const) {
    const rules = loadPack({ mode });
    assert.deepEqual(rules.problems, []);
    assert.ok(rules.ok);
    assert.equal(rules.mode, mode);
    assert.equal(rules.rules.length, rules.defined.length);
  }
});

test("every rule of the pack has one event that fires it and a near miss that does not", () => {
  const names = loadPack().defined.map((rule) => rule.item.name);
  assert.deepEqual(
    packCases.map((each) => each.rule),
    names,
  );
  for (const { rule, but, because } of packCases) {
    assert.notDeepEqual(but, {}, rule);
    assert.notEqual(because, "", rule);
  }
});

for (const mode of ["generated", "closures"] as const)
  test(`each rule is the first to match its event and does not match the near miss (${mode})`, () => {
    for (const { rule, with: overrides, fires, raw, but, because } of packCases) {
      const own = overrides === undefined ? {} : { overrides };
      const first = loadPack({ ...own, mode });
      assert.deepEqual(first.problems, [], rule);
      assert.deepEqual(fired(first, openObject(fires, raw)), [rule]);
      const all = loadPack({ ...own, mode, matching: "all" });
      const miss = fired(all, openObject(changed(fires, but), raw));
      assert.ok(!miss.includes(rule), `${rule}: ${because}`);
      if (overrides !== undefined)
        assert.ok(!fired(loadPack({ mode, matching: "all" }), openObject(fires)).includes(rule), `${rule} is off`);
    }
  });

test("both compilers find the same matches in a recorded audit log, first and all", () => {
  const events = recordedLog();
  for (const matching of ["first", "all"] as const) {
    const generated = loadPack({ matching });
    const closures = loadPack({ matching, mode: "closures" });
    let alerts = 0;
    const before = generated.matcher("k8s_audit")?.evaluated.generated ?? 0;
    for (const event of events) {
      const fast = fired(generated, event);
      assert.deepEqual(fast, fired(closures, event));
      alerts += fast.length;
    }
    assert.ok(alerts > 1000);
    const evaluated = { generated: before + events.length, closures: 0 };
    assert.deepEqual(generated.matcher("k8s_audit")?.evaluated, evaluated);
  }
});

test("the documented table is what the pack does (node test/support/rules-pack.ts writes it)", () => {
  const page = readFileSync(packPage, "utf8");
  assert.equal(tableOf(page), packTable(exampleOf(page, "Fit it to a cluster")));
});

test("the page says of each rule what it needs, how it was evaded, and the ATT&CK technique that it is tagged with", () => {
  const page = readFileSync(packPage, "utf8");
  const table = page.slice(page.indexOf("<!-- evasions -->"), page.indexOf("<!-- end of evasions -->"));
  const rows = Array.from(table.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm), (row) =>
    row.slice(1),
  ).slice(2);
  const rules = loadPack().defined.map(({ item }) => item);
  assert.deepEqual(
    rows.map(([name, , , technique]) => [name, technique]),
    rules.map(({ name, tags }) => [name, tags.filter((tag) => /^T\d/.test(tag)).join(", ") || "–"]),
  );
  for (const [name, level] of rows) assert.match(level ?? "", /`(?:Metadata|Request|RequestResponse)`/, name);
});

const firesToo: readonly (readonly [string, string, Readonly<Record<string, unknown>>])[] = [
  ["a server-side apply creates a pod", "Create Privileged Pod", { "/verb": "patch", "/responseStatus/code": 201 }],
  ["an event says an empty subresource", "Create Privileged Pod", { "/objectRef/subresource": "" }],
  ["a client writes dryRun into another parameter", "Create HostPid Pod", { "/requestURI": "/x?a=dryRun=All" }],
  [
    "one of two images is on the list",
    "Create Privileged Pod",
    {
      "/requestObject/spec/initContainers": [{ name: "i", image: "quay.io/cilium/cilium" }],
      "/requestObject/spec/containers": [{ name: "a", image: "evil", securityContext: { privileged: true } }],
    },
  ],
  ["an older client opens a session over SPDY", "Attach/Exec Pod", { "/verb": "create" }],
  ["a session is an attach", "Attach/Exec Pod", { "/objectRef/subresource": "attach" }],
  [
    "a provider infers that a tunnel was opened",
    "port-forward",
    { "/verb": "create", "/stage": "ResponseComplete", "/responseStatus/code": 201 },
  ],
  ["a watch on secrets begins", "Secrets Listed", { "/verb": "watch", "/stage": "ResponseStarted" }],
  [
    "a stranger's image stands in for a platform's daemon",
    "Create HostNetwork Pod",
    {
      "/user/username": "system:serviceaccount:kube-system:daemon-set-controller",
      "/objectRef/namespace": "kube-system",
      "/requestObject/spec/serviceAccountName": "kube-proxy",
      "/requestObject/spec/containers": [{ name: "a", image: "attacker.example/kube-proxy:v1" }],
    },
  ],
  [
    "a binding names a group of its author",
    "Binding Grants Rights to Its Author",
    { "/requestObject/subjects": [{ kind: "Group", name: "dev-team" }] },
  ],
  [
    "a binding names its author as its third subject",
    "Binding Grants Rights to Its Author",
    { "/requestObject/subjects": [{ name: "x" }, { name: "y" }, { kind: "User", name: "alice@example.com" }] },
  ],
  [
    "a service account binds itself",
    "Binding Grants Rights to Its Author",
    {
      "/user": { username: "system:serviceaccount:shop:builder", groups: ["system:authenticated"] },
      "/requestObject/subjects": [{ kind: "ServiceAccount", namespace: "shop", name: "builder" }],
    },
  ],
  [
    "a user is added to the binding of cluster-admin",
    "Attach to cluster-admin Role",
    { "/verb": "patch", "/objectRef/name": "cluster-admin", "/requestObject": { subjects: [] } },
  ],
  [
    "a JSON patch changes the Pod Security label",
    "Pod Security Level Weakened",
    { "/requestObject": [{ op: "remove", path: "/metadata/labels/pod-security.kubernetes.io~1enforce" }] },
  ],
  [
    "the Pod Security label is taken away",
    "Pod Security Level Weakened",
    { "/requestObject": { metadata: { labels: { "pod-security.kubernetes.io/enforce": null } } } },
  ],
  [
    "an anonymous user reads a path beside the health check",
    "Anonymous Request Allowed",
    { "/requestURI": "/healthzz" },
  ],
  ["an anonymous user bears another name", "Anonymous Request Allowed", { "/user/username": "system:guest" }],
  [
    "a role is widened afterwards",
    "ClusterRole With Wildcard Created",
    { "/verb": "patch", "/responseStatus/code": 200 },
  ],
];

for (const [what, rule, but] of firesToo)
  test(`"${rule}" fires when ${what}`, () => {
    const event = openObject(changed(caseOf(rule).fires, but));
    assert.deepEqual(fired(loadPack(), event), [rule]);
  });

const staysQuiet: readonly (readonly [string, string, Readonly<Record<string, unknown>>])[] = [
  ["the pod is only tried", "Create Privileged Pod", { "/requestURI": "/api/v1/namespaces/shop/pods?dryRun=All" }],
  ["a watch on secrets ends", "Secrets Listed", { "/verb": "watch", "/stage": "ResponseComplete" }],
  [
    "a mesh puts its own container with capabilities into the pod",
    "Pod With Dangerous Capabilities Created",
    {
      "/requestObject/spec/containers": [{ name: "web", image: "registry.example.com/web:1" }],
      "/requestObject/spec/initContainers": [
        {
          name: "istio-init",
          image: "docker.io/istio/proxyv2:1.27.0",
          securityContext: { capabilities: { add: ["NET_ADMIN", "NET_RAW"] } },
        },
      ],
    },
  ],
  ["the session failed", "Attach/Exec Pod", { "/responseStatus/code": 404 }],
  ["nobody is logged in", "Disallowed K8s User", { "/user": {} }],
  ["a client looks what the server offers", "Disallowed K8s User", { "/objectRef": null, "/requestURI": "/apis" }],
  [
    "a platform's daemon starts on a new node",
    "Create HostNetwork Pod",
    {
      "/user/username": "system:serviceaccount:kube-system:daemon-set-controller",
      "/objectRef/namespace": "kube-system",
      "/requestObject/spec/serviceAccountName": "aws-node",
      "/requestObject/spec/containers": [
        { name: "a", image: "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.19.0" },
      ],
    },
  ],
  [
    "OpenShift's daemon starts on a new node",
    "Create HostNetwork Pod",
    {
      "/user/username": "system:serviceaccount:kube-system:daemon-set-controller",
      "/objectRef/namespace": "openshift-sdn",
      "/requestObject/spec/containers": [
        { name: "a", image: "quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:0a" },
      ],
    },
  ],
];

for (const [what, rule, but] of staysQuiet)
  test(`"${rule}" does not fire when ${what}`, () => {
    const event = openObject(changed(caseOf(rule).fires, but));
    assert.ok(!fired(loadPack({ matching: "all" }), event).includes(rule));
  });
