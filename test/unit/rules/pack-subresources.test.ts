import assert from "node:assert/strict";
import test from "node:test";
import { fired, loadPack, openObject } from "../../support/rules-pack.ts";

const base = {
  kind: "Event",
  auditID: "1",
  level: "RequestResponse",
  stage: "ResponseComplete",
  requestURI: "/x",
  verb: "patch",
  user: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
  sourceIPs: ["10.0.0.1"],
  userAgent: "kubectl/v1.36.3",
  responseStatus: { code: 200 },
  stageTimestamp: "2026-11-27T10:00:00.000000Z",
  annotations: { "authorization.k8s.io/decision": "allow" },
};

const all = loadPack({ matching: "all" });
const names = (event: object, raw?: readonly [string, string]) => fired(all, openObject({ ...base, ...event }, raw));

type Row = readonly [string, object];
const fires = (rule: string, rows: readonly Row[], silent: readonly Row[]): void => {
  test(`${rule}, however it is done`, () => {
    for (const [what, event] of rows) assert.ok(names(event).includes(rule), `${what}: ${names(event)}`);
    for (const [what, event] of silent) assert.ok(!names(event).includes(rule), `${what}: ${names(event)}`);
  });
};

const debug = (securityContext: object) => ({ name: "d", image: "busybox", securityContext });
const strong = debug({ privileged: true });
const weak = debug({ runAsUser: 1000 });
const inPod = { objectRef: { resource: "pods", subresource: "ephemeralcontainers", namespace: "shop", name: "web" } };
const podWith = (...ephemeralContainers: object[]) => ({
  kind: "Pod",
  spec: { containers: [{ name: "c", image: "n" }], ephemeralContainers },
});
const debugWays = (one: object): readonly Row[] => [
  ["merge patch", { requestObject: { spec: { ephemeralContainers: [one] } } }],
  [
    "strategic patch",
    {
      requestObject: { spec: { "$setElementOrder/ephemeralContainers": [{ name: "d" }], ephemeralContainers: [one] } },
    },
  ],
  ["JSON patch that appends", { requestObject: [{ op: "add", path: "/spec/ephemeralContainers/-", value: one }] }],
  ["JSON patch of the list", { requestObject: [{ op: "add", path: "/spec/ephemeralContainers", value: [one] }] }],
  [
    "JSON patch with an odd start",
    { requestObject: [{ op: "add", path: "zzz/spec/ephemeralContainers/-", value: one }] },
  ],
  ["update", { verb: "update", requestObject: podWith(one) }],
];
fires(
  "Privileged Ephemeral Container Created",
  debugWays(strong).map(([what, event]) => [what, { ...inPod, ...event, responseObject: podWith(strong) }]),
  [
    ...debugWays(weak)
      .map(([what, event]): Row => [what, { ...inPod, ...event, responseObject: podWith(strong, weak) }])
      .filter(([what]) => what !== "update"),
    ["refused", { ...inPod, requestObject: podWith(strong), responseStatus: { code: 403 } }],
  ],
);

const scale = { objectRef: { resource: "deployments", subresource: "scale", namespace: "shop", name: "web" } };
const whole = { objectRef: { resource: "statefulsets", namespace: "shop", name: "web" } };
const none = { kind: "Scale", metadata: { name: "web" }, spec: {}, status: { replicas: 3 } };
fires(
  "Workload Scaled to Nothing",
  [
    ["merge patch", { ...scale, requestObject: { spec: { replicas: 0 } }, responseObject: none }],
    [
      "JSON patch",
      { ...scale, requestObject: [{ op: "replace", path: "/spec/replicas", value: 0 }], responseObject: none },
    ],
    ["update without replicas", { ...scale, verb: "update", requestObject: none, responseObject: none }],
    ["merge patch without the answer", { ...scale, level: "Request", requestObject: { spec: { replicas: 0 } } }],
    [
      "the object itself",
      { ...whole, requestObject: { spec: { replicas: 0 } }, responseObject: { spec: { replicas: 0 } } },
    ],
    ["the object itself, JSON patch", { ...whole, requestObject: [{ op: "add", path: "/spec/replicas", value: 0 }] }],
    [
      "a CronJob suspended",
      { objectRef: { resource: "cronjobs", name: "n" }, requestObject: { spec: { suspend: true } } },
    ],
  ],
  [
    [
      "two pods",
      { ...scale, requestObject: { spec: { replicas: 2 } }, responseObject: { ...none, spec: { replicas: 2 } } },
    ],
    [
      "a label of a workload without pods",
      { ...whole, requestObject: { metadata: { labels: { a: "b" } } }, responseObject: { spec: { replicas: 0 } } },
    ],
    [
      "a new workload without pods",
      { ...whole, verb: "create", responseStatus: { code: 201 }, requestObject: { spec: { replicas: 0 } } },
    ],
    ["refused", { ...scale, requestObject: { spec: { replicas: 0 } }, responseStatus: { code: 403 } }],
  ],
);

const falco = (resource: string, subresource?: string) => ({
  objectRef: { resource, namespace: "falco", name: "falco", ...(subresource && { subresource }) },
});
fires(
  "Security Agent Deleted or Stopped",
  [
    ["deleted", { ...falco("daemonsets"), verb: "delete" }],
    ["its namespace deleted", { ...falco("namespaces"), verb: "delete" }],
    ["scaled to 0", { ...falco("deployments", "scale"), requestObject: { spec: { replicas: 0 } } }],
    ["scaled out of sight", { ...falco("deployments", "scale"), level: "Metadata" }],
    [
      "sent away",
      { ...falco("daemonsets"), requestObject: { spec: { template: { spec: { nodeSelector: { none: "x" } } } } } },
    ],
  ],
  [
    ["two pods", { ...falco("deployments", "scale"), requestObject: { spec: { replicas: 2 } } }],
    ["a label", { ...falco("daemonsets"), requestObject: { metadata: { labels: { a: "b" } } } }],
    ["not deleted", { ...falco("daemonsets"), verb: "delete", requestObject: { dryRun: ["All"] } }],
    ["another workload", { verb: "delete", objectRef: { resource: "daemonsets", name: "web" } }],
  ],
);

const namespace = (subresource?: string) => ({
  objectRef: { resource: "namespaces", name: "safe", namespace: "safe", ...(subresource && { subresource }) },
});
const enforce = "pod-security.kubernetes.io/enforce";
const labels = (more: object) => ({
  metadata: { name: "safe", labels: { "kubernetes.io/metadata.name": "safe", ...more } },
});
fires(
  "Pod Security Level Weakened",
  ["", "status", "finalize"].flatMap((sub): readonly Row[] => [
    [`${sub} merge`, { ...namespace(sub), requestObject: { metadata: { labels: { [enforce]: "privileged" } } } }],
    [`${sub} null`, { ...namespace(sub), requestObject: { metadata: { labels: { [enforce]: null } } } }],
    [
      `${sub} JSON`,
      { ...namespace(sub), requestObject: [{ op: "remove", path: `/metadata/labels/${enforce.replace("/", "~1")}` }] },
    ],
    [
      `${sub} all labels`,
      { ...namespace(sub), requestObject: [{ op: "remove", path: "/metadata/labels" }], responseObject: labels({}) },
    ],
    [`${sub} update`, { ...namespace(sub), verb: "update", requestObject: labels({}), responseObject: labels({}) }],
    [`${sub} nonsense`, { ...namespace(sub), verb: "update", requestObject: labels({ [enforce]: "Restricted" }) }],
  ]),
  [
    ["stricter", { ...namespace(), requestObject: { metadata: { labels: { [enforce]: "restricted" } } } }],
    [
      "another label",
      {
        ...namespace("status"),
        requestObject: { metadata: { labels: { team: "a" } } },
        responseObject: labels({ [enforce]: "privileged" }),
      },
    ],
    [
      "a namespace that goes away",
      {
        ...namespace("finalize"),
        verb: "update",
        requestObject: { metadata: { ...labels({}).metadata, deletionTimestamp: "x" } },
      },
    ],
    [
      "a new namespace without a level",
      { ...namespace(), verb: "create", responseStatus: { code: 201 }, requestObject: labels({}) },
    ],
    ["refused", { ...namespace(), requestObject: { metadata: { labels: null } }, responseStatus: { code: 403 } }],
  ],
);

const options = { kind: "DeleteOptions" };
const bulk = { verb: "deletecollection", objectRef: { resource: "networkpolicies", namespace: "shop" } };
fires(
  "Objects Deleted in Bulk",
  [
    ["plainly", bulk],
    ["with a body", { ...bulk, requestObject: options }],
    ["dryRun in the query and a body", { ...bulk, requestURI: "/x?dryRun=All", requestObject: options }],
    ["dryRun in the query, body unknown", { ...bulk, requestURI: "/x?dryRun=All", level: "Metadata" }],
    ["dryRun spoiled", { ...bulk, requestURI: "/x?dryRun=All;" }],
  ],
  [
    ["dryRun in the body", { ...bulk, requestObject: { ...options, dryRun: ["All"] } }],
    ["dryRun in the query, no body", { ...bulk, requestURI: "/x?dryRun=All" }],
  ],
);

const secrets = { objectRef: { resource: "secrets", namespace: "shop" }, level: "Metadata" };
const dry = { ...secrets, requestURI: "/x?dryRun=All" };
fires(
  "Secret Read by a Dry Run",
  ["patch", "update", "delete", "deletecollection"].map((verb) => [verb, { ...dry, verb }]),
  [
    ["refused", { ...dry, responseStatus: { code: 403 } }],
    ["in earnest", secrets],
    ["a new secret", { ...dry, verb: "create", responseStatus: { code: 201 } }],
  ],
);

fires(
  "Pod Bound Past the Scheduler",
  [
    [
      "subresource",
      {
        verb: "create",
        responseStatus: { code: 201 },
        objectRef: { resource: "pods", subresource: "binding", name: "a" },
      },
    ],
    [
      "older bindings",
      { verb: "create", responseStatus: { code: 201 }, objectRef: { resource: "bindings", namespace: "shop" } },
    ],
  ],
  [
    [
      "a dry run",
      {
        verb: "create",
        requestURI: "/x?dryRun=All",
        responseStatus: { code: 201 },
        objectRef: { resource: "bindings" },
      },
    ],
  ],
);

test("equal keys of a patch show the last and are told, however they are spelled", () => {
  const event = {
    objectRef: { resource: "roles", name: "a", namespace: "shop" },
    requestObject: { rules: [{ verbs: ["get"] }] },
  };
  for (const twice of ['"rules":[],"rules":[{"verbs":["*"]}]', '"rules":[{"verbs":["get"],"v\\u0065rbs":["*"]}]']) {
    const found = names(event, ['"rules":[{"verbs":["get"]}]', twice]);
    assert.ok(found.includes("ClusterRole With Wildcard Created"), twice);
    assert.ok(found.includes("Request Body With Equal Keys"), twice);
  }
  assert.ok(!names(event).includes("Request Body With Equal Keys"));
});
