import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./fixture.ts";

test("a list holds named instances, each with its own match, limit, retry and batch", () => {
  const { said, config } = load({
    yaml: `webhook:
  - name: a
    address: http://a/
    match: {minimumpriority: error, tags: [x, y], rules: 'Term*', condition: alert.rule = x}
    ratelimit: 30/m
    retry: {initial: 2s, max: 10m, maxattempts: 4, maxage: 24h}
    batch: {items: 10, bytes: 1000}
    timeout: 1m30s
    breaker: {failures: 2, open: 500ms}
    maxconcurrentrequests: 0
  - address: http://b/
    match: alert.priority = Error
`,
  });
  assert.deepEqual(said, []);
  const [a, b] = config.outputs;
  assert.equal(a?.id, "webhook.a");
  assert.deepEqual(a?.match, {
    minimumpriority: "Error",
    tags: ["x", "y"],
    rules: ["Term*"],
    condition: "alert.rule = x",
  });
  assert.deepEqual(a?.delivery, {
    maxconcurrentrequests: Number.POSITIVE_INFINITY,
    timeoutMs: 90_000,
    ratelimit: { perSecond: 0.5, burst: 1 },
    retry: { initialMs: 2000, maxMs: 600_000, maxAttempts: 4, maxAgeMs: 86_400_000 },
    batch: { items: 10, bytes: 1000 },
    breaker: { failures: 2, openMs: 500 },
  });
  assert.equal(b?.id, "webhook.1");
  assert.deepEqual(b?.match, { condition: "alert.priority = Error" });
  assert.equal(b?.delivery.maxconcurrentrequests, 16);
  assert.equal(b?.delivery.batch, undefined);
});

test("SLACK_<NAME>_KEY sets one instance and wins over the file; the plain variable fills gaps only", () => {
  const { output } = load({
    yaml: "webhook:\n  - {name: team-a, method: m}\n  - {name: b, address: http://b/}\n",
    env: { WEBHOOK_TEAM_A_ADDRESS: "http://env-a/", WEBHOOK_ADDRESS: "http://plain/", WEBHOOK_TEAM_A_METHOD: "PUT" },
  });
  assert.equal(output("webhook.team-a")?.config.address, "http://env-a/");
  assert.equal(output("webhook.team-a")?.config.method, "PUT");
  assert.equal(output("webhook.b")?.config.address, "http://b/");
});

test("names are unique, and unknown keys are errors; an unfinished instance is off", () => {
  const { said } = load({
    yaml: "webhook:\n  - {name: a, address: http://a/}\n  - {name: A, address: http://a/}\n  - {name: c, adress: http://c/}\n  - x\n",
  });
  assert.deepEqual(said, [
    'error eyrie.yaml:3:5: webhook[1].name: the name "A" is taken by another instance',
    "warning eyrie.yaml:4:5: webhook[2]: is not complete, these keys are not set: address; the output webhook.c is off",
    "error eyrie.yaml:4:15: webhook[2].adress: unknown key, did you mean address?",
    "error eyrie.yaml:5:5: webhook[3]: must hold keys and values",
  ]);
});

test("where an output has a `name` of its own, the instance is named by `instance`", () => {
  const { output } = load({ yaml: "sumologic:\n  - {instance: x, name: header, receiverurl: http://s/}\n" });
  assert.equal(output("sumologic.x")?.config.name, "header");
});

test("a plugin of falco.yaml becomes the source that stands in for it, only when it is loaded", () => {
  const plugins =
    "plugins:\n  - {name: k8saudit, library_path: x.so, init_config: {maxEventSize: 9}, open_params: ':9765'}\n  - {name: json}\n";
  const { config } = load({ yaml: plugins });
  assert.deepEqual(
    config.sources.map(({ id, config: c }) => [id, c]),
    [["audit.plugin-0", { listen: ":9765", maxeventsize: 9 }]],
  );
  assert.deepEqual(load({ yaml: `${plugins}load_plugins: [json]\n` }).config.sources, []);
  assert.deepEqual(load({ yaml: `${plugins}load_plugins: [nope]\n` }).said, [
    'error eyrie.yaml:4:15: load_plugins: no plugin "nope" under plugins',
  ]);
});

test("load_plugins may name the plugins that are built in without an entry under plugins", () => {
  const { config, said } = load({ yaml: "load_plugins: [k8saudit, json]\n" });
  assert.deepEqual(said, []);
  assert.deepEqual(
    config.falco.loaded.map(({ name }) => name),
    ["k8saudit", "json"],
  );
});

test("falco.yaml is read beside the hub's keys, its variables expanded, its other keys accepted", () => {
  const { config, said } = load({
    yaml: `rules_files: [/etc/a.yaml, /etc/b]
priority: info
rule_matching: all
json_output: true
json_include_tags_property: false
time_format_iso_8601: true
static_fields: {Cluster: "\${CLUSTER}-$\${X}"}
append_output:
  - match: {source: k8s_audit, tags: [a]}
    extra_output: x=%ka.verb
    extra_fields: [ka.verb, {h: "%evt.hostname"}]
rules: [{disable: {rule: '*'}}, {enable: {tag: k}}]
engine: {kind: nodriver}
http_output: {enabled: false}
webserver: {enabled: false}
`,
    env: { CLUSTER: "prod" },
    overrides: ["rules[].enable.rule=x"],
  });
  assert.deepEqual(said, []);
  const { falco } = config;
  assert.equal(falco.priority, "Informational");
  assert.equal(falco.rule_matching, "all");
  assert.deepEqual(falco.rules_files, ["/etc/a.yaml", "/etc/b"]);
  assert.deepEqual(falco.static_fields, { Cluster: "prod-$" + "{X}" });
  assert.deepEqual(falco.append_output, [
    {
      match: { source: "k8s_audit", tags: ["a"] },
      extra_output: "x=%ka.verb",
      extra_fields: ["ka.verb", { h: "%evt.hostname" }],
    },
  ]);
  assert.deepEqual(falco.rules, [
    { enable: false, rule: "*" },
    { enable: true, tag: "k" },
    { enable: true, rule: "x" },
  ]);
});

test("faults in falco.yaml's keys have their place", () => {
  assert.deepEqual(load({ yaml: "priority: bogus\nrule_matching: some\nrules: [{foo: {rule: x}}]\n" }).said, [
    'error eyrie.yaml:1:11: priority: Unknown priority "bogus"--must be one of emergency, alert, critical, error, warning, notice, informational, debug',
    'error eyrie.yaml:2:16: rule_matching: Unknown rule matching strategy "some"--must be one of first, all',
    "error eyrie.yaml:3:9: rules[0]: must be `enable` or `disable` with a `rule` or a `tag`",
  ]);
});
