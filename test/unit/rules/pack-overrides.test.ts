import assert from "node:assert/strict";
import test from "node:test";
import { changed, fired, loadPack, openObject, packCases } from "../../support/rules-pack.ts";

/** Users' files as they were written for Falco's rules: by the names of lists, macros and rules. */
const eventOf = (rule: string, but: Readonly<Record<string, unknown>> = {}) =>
  openObject(changed((packCases.find((each) => each.rule === rule) ?? assert.fail(rule)).fires, but));

const firesWith = (
  overrides: string | undefined,
  rule: string,
  but: Readonly<Record<string, unknown>> = {},
): boolean => {
  const rules = loadPack({ matching: "all", ...(overrides !== undefined && { overrides }) });
  assert.deepEqual(rules.problems, []);
  return fired(rules, eventOf(rule, but)).includes(rule);
};

const appended = (list: string, item: string): string =>
  `- list: ${list}\n  items: ["${item}"]\n  override: {items: append}\n`;

const user = { "/user": { username: "jane@example.com", groups: ["dev-team"] } };
const image = (name: string, spec: object = {}): Readonly<Record<string, unknown>> => ({
  "/requestObject/spec": { containers: [{ name: "a", image: name, securityContext: { privileged: true } }], ...spec },
});

const byList: readonly (readonly [string, string, string, Readonly<Record<string, unknown>>])[] = [
  ["allowed_k8s_users", "jane@example.com", "Disallowed K8s User", user],
  ["vertical_pod_autoscaler_users", "jane@example.com", "Disallowed K8s User", user],
  ["allowed_k8s_groups", "dev-team", "Disallowed K8s User", user],
  ...["eks", "gke", "aks", "kops", "k3s", "rke2", "openshift"].flatMap((platform) => [
    [`${platform}_allowed_k8s_users`, "jane@example.com", "Disallowed K8s User", user] as const,
    [`${platform}_cluster_operators`, "jane@example.com", "Admission Webhook Configuration Changed", user] as const,
  ]),
  ...["eks", "gke", "aks", "kops", "k3s", "rke2", "kube"].map(
    (platform) =>
      [
        `${platform}_system_daemons`,
        "our-daemon",
        "Create HostNetwork Pod",
        {
          "/user/username": "system:serviceaccount:kube-system:daemon-set-controller",
          "/objectRef/namespace": "kube-system",
          "/requestObject/spec/serviceAccountName": "our-daemon",
        },
      ] as const,
  ),
  [
    "k8s_audit_privileged_images",
    "reg.example.com:5000/team/app",
    "Create Privileged Pod",
    image("reg.example.com:5000/team/app:1.2"),
  ],
  [
    "k8s_audit_sensitive_mount_images",
    "team/app",
    "Create Sensitive Mount Pod",
    image("team/app@sha256:00", { volumes: [{ name: "v", hostPath: { path: "/etc" } }] }),
  ],
  ["k8s_audit_hostnetwork_images", "team/app", "Create HostNetwork Pod", image("team/app", { hostNetwork: true })],
  ["k8s_audit_hostpid_images", "team/app", "Create HostPid Pod", image("team/app", { hostPID: true })],
  ["k8s_audit_hostipc_images", "team/app", "Create HostIPC Pod", image("team/app", { hostIPC: true })],
  ["allowed_namespaces", "shop", "Create Disallowed Namespace", { "/objectRef/name": "shop" }],
  ["user_trusted_image_list", "team/app", "Pod Created in Kube Namespace", image("team/app")],
  ["user_allowed_kube_namespace_image_list", "team/app", "Pod Created in Kube Namespace", image("team/app")],
  ["allowed_kube_namespace_image_list", "team/app", "Pod Created in Kube Namespace", image("team/app")],
  ["k8s_image_list", "team/app", "Pod Created in Kube Namespace", image("team/app")],
  ["user_known_sa_list", "robot", "Service Account Created in Kube Namespace", { "/objectRef/name": "robot" }],
  ["known_sa_list", "robot", "Service Account Created in Kube Namespace", { "/objectRef/name": "robot" }],
];

for (const [list, item, rule, but] of byList)
  test(`appending to the list ${list} quietens "${rule}"`, () => {
    assert.ok(firesWith(undefined, rule, but));
    assert.ok(!firesWith(appended(list, item), rule, but));
  });

const byMacro: readonly (readonly [string, string])[] = [
  ["user_known_exec_pod_activities", "Attach/Exec Pod"],
  ["user_known_portforward_activities", "port-forward"],
  ["user_known_pod_debug_activities", "EphemeralContainers Created"],
  ["user_known_node_port_service", "Create NodePort Service"],
];

for (const [macro, rule] of byMacro)
  test(`appending to the macro ${macro} quietens "${rule}"`, () => {
    const append = `- macro: ${macro}\n  condition: or ka.user.name = kubernetes-admin\n  override: {condition: append}\n`;
    const older = `- macro: ${macro}\n  condition: or ka.user.name = kubernetes-admin\n  append: true\n`;
    const whole = `- macro: ${macro}\n  condition: (ka.user.name = kubernetes-admin)\n`;
    assert.ok(firesWith(undefined, rule));
    assert.ok(!firesWith(append, rule));
    assert.ok(!firesWith(whole, rule));
    const deprecated = loadPack({ overrides: older });
    assert.ok(deprecated.ok);
    assert.ok(!fired(deprecated, eventOf(rule)).includes(rule));
  });

test("one macro switches the record of activity off", () => {
  const off = "- macro: consider_activity_events\n  condition: (k8s_audit_never_true)\n";
  assert.ok(firesWith(undefined, "K8s Deployment Created"));
  assert.ok(!firesWith(off, "K8s Deployment Created"));
});

test("a rule takes an exception for a whole domain of users, as GKE's overrides bring one", () => {
  const exception = `- rule: Disallowed K8s User
  override: {exceptions: append}
  exceptions:
    - name: our_domain
      fields: [ka.user.name]
      comps: [endswith]
      values: [["@example.com"]]
`;
  assert.ok(firesWith(undefined, "Disallowed K8s User", user));
  assert.ok(!firesWith(exception, "Disallowed K8s User", user));
});

test("a rule is switched off and given another priority by its name", () => {
  const overrides = `- rule: K8s Secret Get Successfully
  priority: NOTICE
  override: {priority: replace}
- rule: Disallowed K8s User
  enabled: false
  override: {enabled: replace}
`;
  const rules = loadPack({ overrides });
  assert.deepEqual(rules.problems, []);
  const byName = new Map(rules.defined.map((rule) => [rule.item.name, rule.item]));
  assert.equal(byName.get("K8s Secret Get Successfully")?.priority, "Notice");
  assert.equal(byName.get("Disallowed K8s User")?.enabled, false);
});

test("what the engines of clouds do to their own cluster is not reported", () => {
  const quiet = loadPack();
  for (const username of [
    "eks:node-manager",
    "aksService",
    "kops-controller",
    "service-123456789@container-engine-robot.iam.gserviceaccount.com",
    "kubernetes-admin",
  ])
    assert.deepEqual(fired(quiet, eventOf("Disallowed K8s User", { "/user": { username, groups: [] } })), [], username);
});

test("words in escaped text are found by rules of one's own, in generated code and closures", () => {
  const rule = (name: string, condition: string) =>
    `- rule: ${name}\n  desc: d\n  condition: ${condition}\n  output: o\n  priority: INFO\n  source: k8s_audit\n`;
  const overrides =
    rule("A", 'ka.req.configmap.obj contains "hunter"') + rule("B", 'jevt.value[/requestObject] icontains "HUNTER"');
  const event = changed((packCases.find((each) => each.rule === "K8s ConfigMap Created") ?? assert.fail()).fires, {
    "/requestObject/data": { a: "hunter" },
  });
  for (const mode of ["generated", "closures"] as const) {
    const found = fired(loadPack({ overrides, matching: "all", mode }), openObject(event, ["hunter", "h\\u0075nter"]));
    assert.deepEqual(
      found.filter((name) => name.length === 1),
      ["A", "B"],
      mode,
    );
  }
});
