import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { outputs } from "../../../outputs/index.ts";
import { loadConfig } from "../../../src/config/load.ts";

interface Recorded {
  readonly name: string;
  readonly config: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whether falcosidekick answered a POST, and the outputs that it said were enabled. */
  readonly serves: boolean;
  readonly enabled: readonly string[];
}

const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../golden/startup.json"), "utf8"),
) as readonly Recorded[];

/** Where falcosidekick served on and the hub does not: decisions/config-problems-stop-the-start.md. */
const stops: Readonly<Record<string, string>> = {
  "malformed-yaml": "with the defaults every alert would be lost",
  "yaml-tabs": "with the defaults every alert would be lost",
  "tls-mutual-without-deploy": "nobody would be asked for a certificate",
};
/** On here although falcosidekick had no such output, or turned it off for what is no fault of the configuration. */
const onHere: Readonly<Record<string, readonly string[]>> = {
  "aws-no-creds": ["AWSSQS"],
  "aws-yaml-creds-only": ["AWSSQS"],
  // decisions/quickwit-index.md
  "quickwit-autocreate-down": ["Quickwit"],
};

test("what falcosidekick started with starts, with the same outputs on", () => {
  assert.ok(recorded.length > 50);
  for (const { name, config, env, serves, enabled } of recorded) {
    const load = () => loadConfig({ file: "c.yaml", read: fileOf(config), env, outputs, sources: [] });
    if (name in stops)
      assert.ok(
        load().problems.some((p) => p.severity === "error"),
        name,
      );
    if (!serves || name in stops) continue;
    const { config: read, problems } = load();
    assert.deepEqual(
      problems.filter((p) => p.severity === "error"),
      [],
      name,
    );
    const here = new Set(outputs.map((o) => o.display));
    const wanted = enabled.filter((display) => here.has(display));
    const on = read.outputs.map((o) => String(o.output.display));
    assert.deepEqual(on, onHere[name] ?? wanted, name);
  }
});

const fileOf = (config: string) => (path: string) => {
  if (path === "c.yaml") return config;
  throw Object.assign(new Error("no such file"), { code: "ENOENT" });
};

test("an output that is off says why, with its line, and is not among the enabled ones", () => {
  const off = (config: string, env = {}) => {
    const loaded = loadConfig({ file: "c.yaml", read: fileOf(config), env, outputs, sources: [] });
    assert.deepEqual(loaded.config.outputs, []);
    assert.deepEqual(
      loaded.config.off,
      loaded.problems.filter((p) => p.off),
    );
    return loaded.config.off.map(({ line, key, message, off }) => [line, key, off?.output, message.split(";")[0]]);
  };
  assert.deepEqual(off("smtp:\n  hostport: h:25\n  from: a@b\n"), [[2, "smtp.to", "smtp", "is needed"]]);
  assert.deepEqual(off("", { SMTP_HOSTPORT: "h:25", SMTP_TO: "a@b" }), [[undefined, "SMTP_FROM", "smtp", "is needed"]]);
  const noUrl = "is not a URL that starts with http:// or https://";
  assert.deepEqual(off("loki: {hostport: 'loki:3100'}\n"), [[1, "loki.hostport", "loki", noUrl]]);
  assert.deepEqual(off("datadog:\n  apikey: k\n  host: api.datadoghq.eu\n"), [[3, "datadog.host", "datadog", noUrl]]);
  assert.deepEqual(off("webhook: {address: 'http://h/', customheaders: {'a b': c}}\n"), [
    [1, "webhook.customheaders", "webhook", `"a b" is not a header's name`],
  ]);
  assert.deepEqual(off("", { OPSGENIE_APIKEY_FILE: "/none" }), [
    [undefined, "OPSGENIE_APIKEY_FILE", "opsgenie", "the file cannot be read (ENOENT): /none"],
  ]);
  assert.deepEqual(off("slack:\n  - {name: a}\n"), [
    [2, "slack[0]", "slack.a", "is not complete, these keys are not set: webhookurl, channel"],
  ]);
});

test("a wrong value of any other key leaves its output on, with the default", () => {
  const config =
    "debug: maybe\nelasticsearch: {hostport: 'http://h', numberofshards: many, batching: {flushinterval: zzz}, checkcert: perhaps}\n";
  const loaded = loadConfig({ file: "c.yaml", read: fileOf(config), env: {}, outputs, sources: [] });
  assert.deepEqual(
    loaded.config.off.map(({ key, off }) => [key, off]),
    ["debug", "elasticsearch.checkcert", "elasticsearch.numberofshards", "elasticsearch.batching.flushinterval"].map(
      (key) => [key, {}],
    ),
  );
  const [elasticsearch] = loaded.config.outputs;
  assert.equal(elasticsearch?.config.numberofshards, 3);
  assert.equal(elasticsearch?.transport.rejectUnauthorized, true);
});

test("priorities and thresholds that mean nothing are named", () => {
  const config =
    "alertmanager: {hostport: 'http://h:1', dropeventdefaultpriority: loud, dropeventthresholds: 'x:critical,5,6:,7:error', customseveritymap: {odd: a, info: b}}\n";
  const { problems } = loadConfig({ file: "c.yaml", read: fileOf(config), env: {}, outputs, sources: [] });
  assert.deepEqual(
    problems.map(({ severity, message }) => `${severity} ${message}`),
    [
      "warning is no priority: none is raised",
      'warning "x:critical" is not drops:priority and raises nothing',
      'warning "5" is not drops:priority and raises nothing',
      'warning "6:" is not drops:priority and raises nothing',
      'warning "odd" is no priority and is left out',
    ],
  );
});

test("an outputformat that shows nothing is named", () => {
  const config = `slack: {webhookurl: 'http://h/', outputformat: ALL}\nteams: {webhookurl: 'http://h/', outputformat: fields}\n`;
  const { problems } = loadConfig({ file: "c.yaml", read: fileOf(config), env: {}, outputs, sources: [] });
  assert.deepEqual(
    problems.map(({ key, message }) => [key, message]),
    [
      ["slack.outputformat", "is none of all, text, fields: messages show neither the text nor the rest"],
      ["teams.outputformat", "is none of all, text, facts: messages show neither the text nor the rest"],
    ],
  );
});

test("a value that a key with few meanings does not know is named, with what it comes to", () => {
  const config = (suffix: string, precision: string, format: string, region: string, mail: string) =>
    `elasticsearch: {hostport: 'http://h/', suffix: ${suffix}}
influxdb: {hostport: 'http://h/', precision: ${precision}}
loki: {hostport: 'http://h/', format: ${format}}
opsgenie: {apikey: k, region: ${region}}
smtp: {hostport: 'h:25', from: a, to: b, outputformat: ${mail}}
`;
  const said = (text: string) =>
    loadConfig({ file: "c.yaml", read: fileOf(text), env: {}, outputs, sources: [] }).problems.map(
      ({ key, message }) => `${key}: ${message}`,
    );
  assert.deepEqual(said(config("weekly", "seconds", "logfmt", "de", "markdown")), [
    "elasticsearch.suffix: is none of daily, monthly, annually, none: daily is used",
    "influxdb.precision: is none of ns, n, us, u, ms, s, m, h: InfluxDB will refuse it",
    "loki.format: is none of text, json: text is used",
    "opsgenie.region: is none of us, eu, jsm: us is used",
    "smtp.outputformat: is none of html, text: html is used",
  ]);
  for (const fine of [config("monthly", "s", "json", "EU", "text"), config("''", "''", "''", "''", "''")])
    assert.deepEqual(said(fine), []);
});

test("a CA that cannot be read is left out and servers are verified; falcosidekick's own standard path is not missed", () => {
  const caught = (path: string) =>
    loadConfig({
      file: "c.yaml",
      read: (file) =>
        file === "/bad.crt"
          ? "-----BEGIN CERTIFICATE-----\nx\n"
          : fileOf(`webhook: {address: 'https://h/'}\ntlsclient: {cacertfile: ${path}}\n`)(file),
      env: {},
      outputs,
      sources: [],
    });
  for (const path of ["/none.crt", "/bad.crt"]) {
    const { config, problems } = caught(path);
    assert.deepEqual(
      problems.map(({ severity, line, key, off }) => [severity, line, key, off]),
      [["warning", 2, "tlsclient.cacertfile", {}]],
      path,
    );
    assert.equal(config.outputs[0]?.transport.rejectUnauthorized, true);
    assert.equal(config.outputs[0]?.transport.ca, undefined);
  }
  assert.deepEqual(caught("/etc/certs/client/ca.crt").problems, []);
});

test("what would lose or leak stops the start", () => {
  for (const config of [
    "listenport: abc\n",
    "tlsserver: {deploy: maybe}\n",
    "tlsserver: {deploy: true}\n",
    "tlsclient: {cacertfile: /x}\ntlsserver: {deploy: true, mutualtls: true, certfile: /x, keyfile: /x, cacertfile: /x}\nwebhook: {address: 'http://h/'}\n",
    "queue: {driver: rabbit}\n",
    "queue: {redis: {url: 'http://h'}}\n",
    "auth: {token: {a: b}}\n",
    "webhook: {address: 'http://h/', match: {condition: 'a and'}}\n",
    "webhook:\n  - {name: a, address: 'http://h/', match: {tags: {a: b}}}\n",
  ]) {
    const { problems } = loadConfig({ file: "c.yaml", read: fileOf(config), env: {}, outputs, sources: [] });
    assert.ok(
      problems.some((p) => p.severity === "error"),
      config,
    );
  }
});
