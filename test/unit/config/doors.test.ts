import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { outputs } from "../../../outputs/index.ts";
import { sources } from "../../../sources/index.ts";
import { loadFalco } from "../../../src/config/falco-file.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { formatProblem } from "../../../src/config/problem.ts";

const load = (
  yaml: string,
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
  overrides: readonly string[] = [],
) => {
  const all: Readonly<Record<string, string>> = { ...files, "c.yaml": yaml };
  const { config, problems } = loadConfig({
    file: "c.yaml",
    env,
    overrides,
    outputs,
    sources,
    read: (path) => {
      const text = all[path];
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return text;
    },
  });
  const of = (id: string) => config.outputs.find((output) => output.id === id)?.config ?? {};
  return { config, of, said: problems.map((p) => `${p.severity} ${formatProblem(p)}`) };
};

const url = "http://127.0.0.1:1/";

test("a key, a header and an address have no blanks at their ends, whatever door they come through", () => {
  const key = "k1\n";
  for (const { of } of [
    load("", { OPSGENIE_APIKEY: key, OPSGENIE_REGION: "eu\r\n" }),
    load("", { OPSGENIE_APIKEY_FILE: "/key", OPSGENIE_REGION: " eu" }, { "/key": " k1 \r\n" }),
    load("opsgenie:\n  apikey: |\n    k1\n  region: 'eu '\n"),
    load("opsgenie: {apikey_file: ' /key ', region: eu}\n", {}, { "/key": key }),
    load('opsgenie: {apikey: "${KEY}", region: "${REGION}"}\n', { KEY: key, REGION: "eu\n" }),
    load("", {}, {}, ["opsgenie.apikey=' k1 '", "opsgenie.region=eu "]),
  ])
    assert.deepEqual([of("opsgenie").apikey, of("opsgenie").region], ["k1", "eu"]);

  const list = `slack:\n  - {name: team-a, webhookurl: " ${url} "}\n`;
  assert.equal(load(list).of("slack.team-a").webhookurl, url);
  assert.equal(load(list, { SLACK_TEAM_A_WEBHOOKURL: ` ${url}x\n` }).of("slack.team-a").webhookurl, `${url}x`);

  const webhook = `webhook: {address: '${url}', customheaders: {Authorization: " Bearer x\\n"}}\n`;
  assert.deepEqual(load(webhook).of("webhook").customheaders, { authorization: "Bearer x" });
  for (const headers of ["Authorization: Bearer x \n", '{"Authorization":" Bearer x\\n"}'])
    assert.deepEqual(load("", { WEBHOOK_ADDRESS: url, WEBHOOK_CUSTOMHEADERS: headers }).of("webhook").customheaders, {
      Authorization: "Bearer x",
    });
  assert.deepEqual(load("alertmanager: {hostport: [' http://a:1 ', '']}\n").of("alertmanager").hostport, [
    "http://a:1",
  ]);
});

test("templates and replacements keep the blanks at their ends", () => {
  const { config, of } = load(`webhook: {address: '${url}', body: "{{ .Rule }}\\n"}\nbracketreplacer: ' '\n`);
  assert.equal(of("webhook").body, "{{ .Rule }}\n");
  assert.equal(config.bracketreplacer, " ");
});

test("$" + "{NAME} is expanded in every value, as text, and nothing else that has a dollar", () => {
  const env = {
    URL: `${url}?a=b: {c}`,
    PORT: "289",
    ON: "true",
    TAGS: "a, b",
    INJECT: "x\nelasticsearch: {hostport: http://evil}",
    AGAIN: "${PORT}",
  };
  const { config, of, said } = load(
    [
      "listenport: 2${PORT}",
      "debug: ${ON}",
      "customtags: ${TAGS}",
      "customfields: {team: '${INJECT}', again: '${AGAIN}', kept: '$${PORT}', other: 'pa$$word $1 ${1} ${a-b} $PORT'}",
      "templatedfields: {t: '{{ $x := .a }}{{ $x }}'}",
      "webhook: {address: '${URL}', match: {rules: ['${PORT}*']}}",
      "slack:",
      "  - {name: one, webhookurl: '${URL}', channel: '#${PORT}'}",
      "k8saudit: {listen: 'http://127.0.0.1:9${PORT}/k8s-audit'}",
    ].join("\n"),
    env,
  );
  assert.deepEqual(said, []);
  assert.deepEqual([config.listenport, config.debug, config.customtags], [2289, true, ["a", "b"]]);
  assert.deepEqual(config.customfields, {
    team: env.INJECT,
    again: "${PORT}",
    kept: "${PORT}",
    other: "pa$$word $1 ${1} ${a-b} $PORT",
  });
  assert.deepEqual(config.templatedfields, { t: "{{ $x := .a }}{{ $x }}" });
  assert.deepEqual([of("webhook").address, of("slack.one").channel], [env.URL, "#289"]);
  assert.deepEqual(config.outputs.map((o) => o.id).toSorted(), ["slack.one", "webhook"]);
  assert.deepEqual(config.outputs.find((o) => o.id === "webhook")?.match.rules, ["289*"]);
  assert.equal(config.sources[0]?.config.listen, "http://127.0.0.1:9289/k8s-audit");
});

test("a variable that is not set is a problem with its line, of the kind that its key calls for", () => {
  const unset = "the variable NOPE is not set";
  const { config, said } = load(
    [
      "listenport: ${NOPE}",
      "customfields: {a: '${NOPE}', b: x}",
      `webhook: {address: '${url}', customheaders: {authorization: 'Bearer \${NOPE}'}}`,
      `teams: {webhookurl: '${url}', outputformat: '\${NOPE}'}`,
      "discord: {webhookurl: '${NOPE}'}",
      "opsgenie: {apikey_file: '${NOPE}'}",
      "rules_files: ['${NOPE}']",
      "nonsense: '${NOPE}'",
    ].join("\n"),
  );
  assert.deepEqual(said, [
    `error c.yaml:1:13: listenport: ${unset}`,
    `warning c.yaml:2:15: customfields: "a" is left out: ${unset}`,
    `warning c.yaml:3:58: webhook.customheaders: ${unset}; the output webhook is off`,
    `warning c.yaml:4:58: teams.outputformat: ${unset}; its default is used`,
    `warning c.yaml:5:23: discord.webhookurl: ${unset}; the output discord is off`,
    `warning c.yaml:6:25: opsgenie.apikey: ${unset}; the output opsgenie is off`,
    `warning c.yaml:7:15: rules_files: ${unset} and counts as empty`,
    "warning c.yaml:8:1: nonsense: unknown key",
  ]);
  assert.deepEqual(config.customfields, { b: "x" });
  assert.deepEqual(
    config.outputs.map((o) => o.id),
    ["teams"],
  );
});

test("the first document of a file counts; a further one that holds something is named", () => {
  for (const yaml of ["listenport: 7\n---\n", "---\nlistenport: 7\n...\n---\n# nothing\n", "listenport: 7\n---\n~\n"])
    assert.deepEqual([load(yaml).config.listenport, load(yaml).said], [7, []], yaml);
  const { config, said } = load("listenport: 7\n---\nlistenport: 8\nbroken: [\n");
  assert.equal(config.listenport, 7);
  assert.deepEqual(said, ["warning c.yaml:3:1: only the first document of the file is read: this one is not"]);
  assert.equal(load("---\n---\nlistenport: 8\n").config.listenport, 2801);
});

test("a text that is set to nothing means none; an empty variable does not", () => {
  const empty = `slack: {webhookurl: '${url}', icon: '', footer: "", username: ''}\n`;
  const { icon, footer, username } = load(empty, { SLACK_ICON: "" }).of("slack");
  assert.deepEqual([icon, footer, username], ["", "", ""]);
  assert.equal(load(`slack: {webhookurl: '${url}'}\n`, { SLACK_USERNAME: "" }).of("slack").username, "Falcosidekick");
  const quiet = `webhook: {address: '${url}', method: ''}\npagerduty: {routingkey: k, region: ''}\naws: {lambda: {functionname: f, logtype: ''}}\n`;
  assert.deepEqual(load(quiet).said, []);
  assert.match(
    load("datadog: {apikey: k, host: ''}\n").said.join(),
    /datadog\.host: is empty.*the output datadog is off/,
  );
});

test("rules_file beside rules_files is Falco's error, here and in its own files", () => {
  const both = "both 'rules_files' and 'rules_file' keys set";
  assert.deepEqual(load("rules_files: [/a]\nrules_file: /b\n").said, [`error c.yaml:2:13: rules_file: ${both}`]);
  assert.deepEqual(load("rules_file: [/b]\n").config.falco.rules_files, ["/b"]);
  const { problems } = loadFalco({ sources, env: {}, overrides: ["rules_files=[/a]", "rules_file=/b"] });
  assert.deepEqual(problems.map(formatProblem), [`rules_file: ${both}`]);
});

test("what YAML writes in another shape means the same", () => {
  const { config, of, said } = load(
    [
      "\ufeffcommon: &common {checkcert: no, mutualTLS: OFF}",
      "Slack: {<<: *common, WebHookURL: 'http://127.0.0.1:1/', allfields: Yes}",
      "slack.channel: 0123",
      "smtp:",
      "  hostport: mail:25",
      "  from: a@example.com",
      "  to: [b@example.com, c@example.com]",
      "  password: 007",
      "loki: {hostport: [http://127.0.0.1:1], extraLabels: [user.name, proc.name], customHeaders: [{X-A: 1}, {X-B: b}]}",
      "teams:",
      "discord: ''",
      "rocketchat: []",
      "mattermost: {}",
      "prometheus: []",
      "outputFieldFormat: '<output>'",
      "customfields: {n: 1e3, m: 0x10}",
    ].join("\r\n"),
  );
  assert.deepEqual(said, ["warning c.yaml:1:1: common: unknown key"]);
  assert.equal(of("slack").channel, "0123");
  assert.equal(of("slack").allfields, true);
  assert.equal(config.outputs.find((o) => o.id === "slack")?.transport.rejectUnauthorized, false);
  assert.deepEqual([of("smtp").to, of("smtp").password], ["b@example.com,c@example.com", "007"]);
  assert.deepEqual(
    [of("loki").hostport, of("loki").extralabels, of("loki").customheaders],
    ["http://127.0.0.1:1", "user.name,proc.name", { "x-a": "1", "x-b": "b" }],
  );
  assert.deepEqual(config.customfields, { n: "1e3", m: "0x10" });
  assert.equal(config.outputfieldformat, "<output>");
});

test("a block that is no block turns its output off; the same value twice is one value", () => {
  assert.deepEqual(load(`slack: ${url}\n`).said, [
    "warning c.yaml:1:8: slack: must hold keys and values; the output slack is off",
  ]);
  assert.deepEqual(load("tlsserver: yes\n").said, ["error c.yaml:1:12: tlsserver: must hold keys and values"]);
  assert.deepEqual(load("listenport: 7\nListenPort: 7\n").said, []);
});

test("an address is taken as falcosidekick's listener and clients take it", () => {
  assert.equal(load("listenaddress: '[::1]'\n").config.listenaddress, "::1");
  const { of, said } = load("", { AWS_SQS_URL: "sqs.eu-west-1.amazonaws.com/1/q" });
  assert.equal(of("aws.sqs").url, "https://sqs.eu-west-1.amazonaws.com/1/q");
  assert.deepEqual(said, ["warning AWS_SQS_URL: has no scheme: https:// is assumed"]);
  for (const hostport of ["nats://a:4222,nats://b:4222,c:4222", "nats://u:p,w@a:4222, nats://u:p,w@b:4222"])
    assert.equal(load("", { NATS_HOSTPORT: hostport }).of("nats").hostport, hostport);
  for (const faulty of ["nats://a:4222,http://b", "a:4222,nats://b:4222", "nats://a:4222,"])
    assert.deepEqual(load("", { NATS_HOSTPORT: faulty }).said, [
      "warning NATS_HOSTPORT: is not a URL that starts with nats:// or tls://; the output nats is off",
    ]);
});

test("the chart's values in place of a configuration are told apart from a misspelt key", () => {
  const { said } = load("config:\n  slack: {webhookurl: 'http://h/'}\nreplicaCount: 2\n");
  assert.deepEqual(said, [
    "warning c.yaml:1:1: config: is a level of the chart's values: what stands under it is not read",
    "warning c.yaml:3:1: replicacount: unknown key",
  ]);
  const level = "is a level of the chart's values: what stands under it is not read";
  assert.deepEqual(load("falcosidekick: {config: {slack: {channel: x}}}\nfalco: {json_output: true}\n").said, [
    `warning c.yaml:1:1: falcosidekick: ${level}`,
    `warning c.yaml:2:1: falco: ${level}`,
  ]);
});

test("keys that only the chart has say nothing, nor x-… that hold anchors, nor do unknown ones without a value", () => {
  const yaml = `tlsserver: {deploy: false, existingSecret: mine, servercrt: '', cacrt: ''}
aws: {useirsa: true}
azure: {podIdentityClientID: '', podIdentityName: ''}
alertmanager: {expireafter: ''}
extraEnv: []
extraArgs: {}
existingSecret: falco
x-common: &common {channel: a}
slack: {<<: *common}
`;
  assert.deepEqual(load(yaml).said, []);
  assert.deepEqual(load("alertmanager: {expireafter: 300}\n").said, [
    "warning c.yaml:1:16: alertmanager.expireafter: unknown key, did you mean alertmanager.expiresafter?",
  ]);
});

test("a misspelt key of any block is named; one that was meant to close a door stops the start", () => {
  const yaml =
    "tlsclient: {cacert: /x}\nmutualtlsclient: {cert: /x}\nprometheus: {extralabel: a}\ntlsserver: {nottlsport: 1}\n";
  assert.deepEqual(load(yaml).said, [
    "warning c.yaml:1:13: tlsclient.cacert: unknown key",
    "warning c.yaml:2:19: mutualtlsclient.cert: unknown key",
    "warning c.yaml:3:14: prometheus.extralabel: unknown key, did you mean prometheus.extralabels?",
    "warning c.yaml:4:13: tlsserver.nottlsport: unknown key, did you mean tlsserver.notlsport?",
  ]);
  for (const [key, near] of [
    ["mutualtsl", "mutualtls"],
    ["deplov", "deploy"],
  ])
    assert.deepEqual(load(`tlsserver: {${key}: true}\n`).said, [
      `error c.yaml:1:13: tlsserver.${key}: unknown key, did you mean tlsserver.${near}?`,
    ]);
  assert.deepEqual(load("", { TLSSERVER_MUTUALTSL: "true" }).said, [
    "error TLSSERVER_MUTUALTSL: unknown variable, did you mean TLSSERVER_MUTUALTLS?",
  ]);
});

test("a key that stands twice is named", () => {
  assert.deepEqual(load("slack: {channel: a}\ndebug: true\nslack: {channel: a}\n").said, [
    'error c.yaml:3:1: YAML: "slack" stands twice here',
  ]);
});

test("a file in UTF-16 is read like one in UTF-8", () => {
  const dir = mkdtempSync(join(tmpdir(), "eyrie-"));
  const text = Buffer.from("\ufefflistenport: 7\r\n", "utf16le");
  try {
    for (const bytes of [text, Buffer.from(text).swap16(), Buffer.from("\ufefflistenport: 7\n")]) {
      const file = join(dir, "c.yaml");
      writeFileSync(file, bytes);
      const { config, problems } = loadConfig({ file, env: {}, outputs, sources });
      assert.deepEqual([config.listenport, problems], [7, []]);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});
