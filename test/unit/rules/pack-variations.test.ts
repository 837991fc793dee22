import assert from "node:assert/strict";
import test from "node:test";
import { fired, loadPack, openObject } from "../../support/rules-pack.ts";

/** What somebody could do in several ways: each change, in each way, at each level of the policy, must raise its rule. */
interface Change {
  readonly rule: string;
  readonly resource: string;
  readonly group: string;
  /** The object as it is afterwards, as it was before, and as it is after a harmless change. */
  readonly after: object;
  readonly before: object;
  /** Where the change lies, as a JSON pointer, and what stands there then; a patch sends just this. */
  readonly at: string;
  readonly value: unknown;
}

const steps = (pointer: string): readonly string[] =>
  pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

/** An object with only this value in it; arrays on the way hold one element. */
const only = (pointer: string, value: unknown): unknown =>
  steps(pointer).reduceRight<unknown>((inner, step) => (/^\d+$/.test(step) ? [inner] : { [step]: inner }), value);

const events = ({ resource, group, after, at, value }: Change, refused = false) => {
  const base = {
    kind: "Event",
    auditID: "1",
    stage: "ResponseComplete",
    requestURI: `/apis/x/namespaces/shop/${resource}/a`,
    user: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
    sourceIPs: ["10.0.0.1"],
    userAgent: "kubectl/v1.36.3",
    objectRef: { resource, namespace: "shop", name: "a", apiGroup: group },
    stageTimestamp: "2026-11-27T10:00:00.000000Z",
    annotations: { "authorization.k8s.io/decision": "allow" },
  };
  const json = [{ op: "add", path: at, value }];
  const ways: readonly (readonly [string, string, number, unknown])[] = [
    ["create", "create", 201, after],
    ["apply of a new object", "patch", 201, after],
    ["update", "update", 200, after],
    ["apply", "patch", 200, after],
    ["merge patch", "patch", 200, only(at, value)],
    ["JSON patch", "patch", 200, json],
    ["JSON patch of the whole", "patch", 200, [{ op: "replace", path: "", value: after }]],
  ];
  return ways.flatMap(([way, verb, code, requestObject]) =>
    ["Request", "RequestResponse"].map((level) => {
      const shown = level === "RequestResponse" && !refused ? { responseObject: after } : {};
      const responseStatus = { code: refused ? 403 : code };
      return { what: `${way} at ${level}`, event: { ...base, level, verb, requestObject, responseStatus, ...shown } };
    }),
  );
};

const all = loadPack({ matching: "all" });
const names = (event: object) => fired(all, openObject(event));

const workloads: Readonly<Record<string, readonly [string, string]>> = {
  deployments: ["apps", "/spec/template/spec"],
  daemonsets: ["apps", "/spec/template/spec"],
  statefulsets: ["apps", "/spec/template/spec"],
  replicasets: ["apps", "/spec/template/spec"],
  replicationcontrollers: ["", "/spec/template/spec"],
  jobs: ["batch", "/spec/template/spec"],
  cronjobs: ["batch", "/spec/jobTemplate/spec/template/spec"],
  podtemplates: ["", "/template/spec"],
};

const container = { name: "c", image: "registry.example.com/app:1" };
const dangers: readonly (readonly [string, string, string, unknown])[] = [
  ["Privileged Workload Created or Modified", "containers", "/containers/0/securityContext", { privileged: true }],
  [
    "Privileged Workload Created or Modified",
    "initContainers",
    "/initContainers/0/securityContext",
    { privileged: true },
  ],
  [
    "Privileged Workload Created or Modified",
    "containers",
    "/containers/0/securityContext",
    { windowsOptions: { hostProcess: true } },
  ],
  [
    "Workload With Sensitive Mount Created or Modified",
    "containers",
    "/volumes",
    [{ name: "v", hostPath: { path: "//etc/./kubernetes//" } }],
  ],
  ["Workload in Host Namespaces Created or Modified", "containers", "/hostNetwork", true],
  ["Workload in Host Namespaces Created or Modified", "containers", "/hostPID", true],
  ["Workload in Host Namespaces Created or Modified", "containers", "/hostIPC", true],
  [
    "Workload With Dangerous Capabilities Created or Modified",
    "containers",
    "/containers/0/securityContext",
    { capabilities: { add: ["cap_sys_admin"] } },
  ],
];

const put = (object: object, pointer: string, value: unknown): object => {
  const copy = structuredClone(object) as Record<string, unknown>;
  const path = [...steps(pointer)];
  const last = path.pop() as string;
  let node = copy;
  for (const step of path) node = node[step] as Record<string, unknown>;
  node[last] = value;
  return copy;
};

const ofWorkloads = Object.entries(workloads).flatMap(([resource, [group, place]]) =>
  dangers.map(([rule, kind, below, value]): Change => {
    const before = only(place, { containers: [container], [kind]: [container] }) as object;
    return { rule, resource, group, before, after: put(before, place + below, value), at: place + below, value };
  }),
);

const rbac = "rbac.authorization.k8s.io";
const binding = { metadata: { name: "a" }, subjects: [], roleRef: { kind: "ClusterRole", name: "view" } };
const role = {
  metadata: { name: "a", labels: {} },
  rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get"] }],
};
const rule = (change: object) => [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get"], ...change }];
const namespace = { metadata: { name: "a", labels: { "pod-security.kubernetes.io/enforce": "restricted" } } };
const label = "/metadata/labels/pod-security.kubernetes.io~1enforce";
const service = { spec: { type: "ClusterIP", ports: [{ port: 80 }] } };

const others: readonly Change[] = [
  ...["clusterrolebindings", "rolebindings"].flatMap((resource) =>
    [
      ["Attach to cluster-admin Role", "/roleRef", { kind: "ClusterRole", name: "cluster-admin" }] as const,
      ["Binding Grants Rights to Everybody", "/subjects", [{ kind: "Group", name: "system:authenticated" }]] as const,
      [
        "Binding Grants Rights to Its Author",
        "/subjects",
        [
          { kind: "User", name: "u" },
          { kind: "User", name: "kubernetes-admin" },
        ],
      ] as const,
    ].map(
      ([name, at, value]): Change => ({
        rule: name,
        resource,
        group: rbac,
        before: binding,
        after: put(binding, at, value),
        at,
        value,
      }),
    ),
  ),
  ...["clusterroles", "roles"].flatMap((resource) =>
    [
      ["ClusterRole With Wildcard Created", rule({ verbs: ["*"] })] as const,
      ["ClusterRole With Wildcard Created", rule({ resources: ["*"] })] as const,
      ["Role With Escalation Verbs Created or Modified", rule({ verbs: ["impersonate"] })] as const,
      ["ClusterRole With Pod Exec Created", rule({ resources: ["pods/exec"] })] as const,
      ["Role With Sensitive Resources Created or Modified", rule({ resources: ["secrets"] })] as const,
      ["ClusterRole With Write Privileges Created", rule({ verbs: ["patch"] })] as const,
    ].map(
      ([name, value]): Change => ({
        rule: name,
        resource,
        group: rbac,
        before: role,
        after: put(role, "/rules", value),
        at: "/rules",
        value,
      }),
    ),
  ),
  {
    rule: "ClusterRole Aggregated Into a Built-In Role",
    resource: "clusterroles",
    group: rbac,
    before: role,
    after: put(role, "/metadata/labels/rbac.authorization.k8s.io~1aggregate-to-edit", "true"),
    at: "/metadata/labels/rbac.authorization.k8s.io~1aggregate-to-edit",
    value: "true",
  },
  {
    rule: "Pod Security Level Weakened",
    resource: "namespaces",
    group: "",
    before: namespace,
    after: put(namespace, label, "privileged"),
    at: label,
    value: "privileged",
  },
  {
    rule: "Create NodePort Service",
    resource: "services",
    group: "",
    before: service,
    after: put(service, "/spec/type", "NodePort"),
    at: "/spec/type",
    value: "NodePort",
  },
  {
    rule: "Service With External IPs Created or Modified",
    resource: "services",
    group: "",
    before: service,
    after: put(service, "/spec/externalIPs", ["1.2.3.4"]),
    at: "/spec/externalIPs",
    value: ["1.2.3.4"],
  },
  {
    rule: "Create/Modify Configmap With Private Credentials",
    resource: "configmaps",
    group: "",
    before: { data: { a: "b" } },
    after: { data: { a: "b", PassWord: "x" } },
    at: "/data/PassWord",
    value: "x",
  },
  {
    rule: "Create/Modify Configmap With Private Credentials",
    resource: "configmaps",
    group: "",
    before: { binaryData: {} },
    after: { binaryData: { a: Buffer.from("password=x").toString("base64") } },
    at: "/binaryData/a",
    value: Buffer.from("password=x").toString("base64"),
  },
  {
    rule: "PersistentVolume With Sensitive Host Path Created",
    resource: "persistentvolumes",
    group: "",
    before: { spec: {} },
    after: { spec: { local: { path: "/var/lib/kubelet/." } } },
    at: "/spec/local",
    value: { path: "/var/lib/kubelet/." },
  },
];

test("what a workload of any kind may do to its node is seen in every way of doing it", () => {
  assert.equal(ofWorkloads.length, Object.keys(workloads).length * dangers.length);
  for (const change of ofWorkloads)
    for (const { what, event } of events(change))
      assert.ok(names(event).includes(change.rule), `${change.resource}: ${change.at}, ${what}: ${names(event)}`);
});

test("rights, levels, services, ConfigMaps and volumes are seen in every way of changing them", () => {
  for (const change of others)
    for (const { what, event } of events(change))
      assert.ok(names(event).includes(change.rule), `${change.resource}: ${change.at}, ${what}: ${names(event)}`);
});

test("the same ways of making a harmless change stay silent, also where the object was dangerous before", () => {
  for (const change of [...ofWorkloads, ...others]) {
    const harmless = {
      ...change,
      at: "/metadata/annotations/note",
      value: "x",
      after: put({ metadata: { annotations: {} }, ...change.before }, "/metadata/labels", { team: "a" }),
    };
    for (const { what, event } of events({ ...harmless, after: change.before }))
      if (!(change.rule.startsWith("Pod Security") && what.startsWith("JSON patch of the whole")))
        assert.ok(!names(event).includes(change.rule), `${change.resource}, ${change.rule}, ${what}`);
    for (const { what, event } of events({ ...harmless, after: change.after }))
      if (/^(?:merge|JSON) patch at/.test(what))
        assert.ok(!names(event).includes(change.rule), `${change.rule}, ${what}`);
  }
});

test("what is refused never reads as done, in whatever way it was tried", () => {
  const deeds = new Set([...ofWorkloads, ...others].map((change) => change.rule));
  for (const change of [...ofWorkloads, ...others])
    for (const { what, event } of events(change, true))
      assert.deepEqual(
        names(event).filter((name) => deeds.has(name)),
        [],
        `${change.resource}: ${change.at}, ${what}`,
      );
  for (const change of ofWorkloads)
    for (const { what, event } of events(change, true))
      assert.ok(
        names(event).includes("Dangerous Pod or Workload Refused"),
        `${change.resource}: ${change.at}, ${what}`,
      );
});

test("what is only tried by a dry run is no change", () => {
  for (const change of [...ofWorkloads, ...others])
    for (const { what, event } of events(change)) {
      const tried = { ...event, requestURI: `${event.requestURI}?dryRun=All` };
      assert.ok(!names(tried).includes(change.rule), `${change.resource}: ${change.at}, ${what}`);
    }
});
