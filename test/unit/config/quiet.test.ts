import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { outputs } from "../../../outputs/index.ts";
import { sources } from "../../../sources/index.ts";
import { envName } from "../../../src/config/environment.ts";
import { enablingKeys, falcosidekickBlocks, falcosidekickKeys } from "../../../src/config/falcosidekick-keys.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { formatProblem } from "../../../src/config/problem.ts";
import type { Output } from "../../../src/sdk/output.ts";

const said = (yaml: string, env: Readonly<Record<string, string>>, built: readonly Output[] = outputs) =>
  loadConfig({
    file: "c.yaml",
    env,
    outputs: built,
    sources,
    read: (path) => {
      if (path === "c.yaml") return yaml;
      throw Object.assign(new Error("no such file"), { code: "ENOENT" });
    },
  }).problems.map((problem) => `${problem.severity} ${formatProblem(problem)}`);

test("falcosidekick's own example file is read without a word", () => {
  const yaml = readFileSync(join(import.meta.dirname, "../../golden/falcosidekick-example.yaml"), "utf8");
  assert.deepEqual(said(yaml, {}), []);
  assert.deepEqual(said(yaml, {}, []), []);
});

/** Values of falcosidekick's chart that differ from falcosidekick's own, and what Kubernetes adds to the environment of a pod. */
const chart = {
  DEBUG: "false",
  TLSCLIENT_CACERTFILE: "/etc/certs/client/ca.crt",
  TLSSERVER_NOTLSPATHS: "/ping",
  ALERTMANAGER_ENDPOINT: "/api/v1/alerts",
  ALERTMANAGER_DROPEVENTTHRESHOLDS: "10000:critical, 1000:critical, 100:critical, 10:warning, 1:warning",
  CLIQ_USEEMOJI: "true",
  CLOUDEVENTS_EXTENSION: "",
  GCP_STORAGE_MINIMUMPRIORITY: "debug",
  POLICYREPORT_KUBECONFIG: "~/.kube/config",
  QUICKWIT_APIENDPOINT: "/api/v1",
  RABBITMQ_MINIMUMPRIORITY: "debug",
  SYSLOG_PROTOCOL: "tcp",
  TELEGRAM_MESSAGE_THREAD_ID: "",
  TIMESCALEDB_DATABASE: "",
  TIMESCALEDB_HYPERTABLENAME: "falco_events",
  WAVEFRONT_FLUSHINTERVALSECONDS: "1",
  WAVEFRONT_MINIMUMPRIORITY: "debug",
  YANDEX_REGION: "",
  AWS_ROLE_ARN: "arn:aws:iam::1:role/falco",
  AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/secrets/token",
  AWS_ACCESS_KEY_ID: "AKIA",
  AWS_SECRET_ACCESS_KEY: "x",
  AWS_DEFAULT_REGION: "eu-west-1",
  KUBERNETES_SERVICE_HOST: "10.0.0.1",
  KUBERNETES_PORT_443_TCP_ADDR: "10.0.0.1",
  LOGSTASH_PORT: "tcp://10.0.0.7:5044",
  SYSLOG_PORT: "udp://10.0.0.8:514",
  SLACK_SERVICE_HOST: "10.0.0.9",
  REDIS_PORT_6379_TCP: "tcp://10.0.0.10:6379",
  REDIS_SERVICE_PORT_TCP_REDIS: "6379",
  HOSTNAME: "falcosidekick-0",
  HOME: "/",
  SMTP_HOST: "mail",
  SMTP_TLS: "starttls",
};

test("the environment of falcosidekick's chart is read without a word, whichever outputs there are", () => {
  const defaults = Object.fromEntries([...falcosidekickKeys].map(([key, value]) => [envName(key), value]));
  assert.deepEqual(said("", { ...defaults, ...chart }), []);
  assert.deepEqual(said("", { ...defaults, ...chart }, []), []);
});

test("an output that is not there yet is named when the key that enables it is set, in YAML and in the environment", () => {
  const unbuilt = "known key of falcosidekick, this output is not available yet";
  for (const block of falcosidekickBlocks) {
    const [key, ...more] = [...enablingKeys].filter((each) => each.slice(0, each.lastIndexOf(".")) === block);
    if (key === undefined) continue;
    assert.deepEqual(more, []);
    assert.deepEqual(said("", { [envName(key)]: "true" }, []), [`warning ${envName(key)}: ${unbuilt}`]);
    assert.deepEqual(said(`${key}: true\n`, {}, []), [`warning c.yaml:1:1: ${block}: ${unbuilt}`]);
    assert.deepEqual(said(`${key}: ''\n${block}.minimumpriority: debug\n${block}.nonsense: 1\n`, {}, []), []);
  }
  assert.ok(enablingKeys.size > 60);
});

test("another spelling of a variable is pointed out as long as its output is off", () => {
  const near = "warning SLACK_WEBHOOK_URL: unknown variable, did you mean SLACK_WEBHOOKURL?";
  assert.deepEqual(said("", { SLACK_WEBHOOK_URL: "http://h/" }), [near]);
  assert.deepEqual(said("slack: {webhookurl: 'http://h/'}\n", { SLACK_WEBHOOK_URL: "http://h/" }), []);
  for (const name of ["SLACK_CHANNEL_ID", "LOG_LEVELS", "LOG_FORMATTER", "QUEUE_DRIVERS", "AUTH_TOKEN_ID"])
    assert.deepEqual(said("", { [name]: "x" }), [], name);
});

test("a variable with a name that many programs use enables no output", () => {
  const env = { FILE_PATH: "/var/lib/other/data", FILE_FORMAT: "csv", FILE: "x", STDOUT: "1", SYSLOG: "1" };
  const { config, problems } = loadConfig({ env, outputs, sources });
  assert.deepEqual([config.outputs, problems], [[], []]);
  const named = loadConfig({ env: { ...env, FILE_FILENAME: "/tmp/alerts.jsonl" }, outputs, sources });
  assert.deepEqual(named.problems, []);
  assert.deepEqual(named.config.outputs[0]?.config, { filename: "/tmp/alerts.jsonl", format: "json" });
});

test("syslog_output, which Falco's own file has on, is no warning where there is no /dev/log", {
  skip: existsSync("/dev/log"),
}, () => {
  assert.deepEqual(said("syslog_output: {enabled: true}\n", {}), [
    "info c.yaml:1:26: syslog_output: is off: there is no /dev/log here; set syslog.host and syslog.port",
  ]);
});
