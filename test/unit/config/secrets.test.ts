import assert from "node:assert/strict";
import { test } from "node:test";
import { describeConfig } from "../../../src/config/describe.ts";
import { globalFields } from "../../../src/config/globals.ts";
import { redact, redactText, secretsOf } from "../../../src/config/redact.ts";
import { fieldMeta } from "../../../src/sdk/fields.ts";
import { load } from "./fixture.ts";

test("a secret is read from the file that <KEY>_FILE names, without its last line break", () => {
  const files = { "/run/address": "http://127.0.0.1/from-file\n", "/run/b": "http://127.0.0.1/b" };
  const env = { WEBHOOK_ADDRESS_FILE: "/run/address" };
  assert.equal(load({ env, files }).output("webhook")?.config.address, "http://127.0.0.1/from-file");
  const yaml = "webhook:\n  - {name: b, address_file: /run/b}\n";
  assert.equal(load({ yaml, files }).output("webhook.b")?.config.address, "http://127.0.0.1/b");
  assert.deepEqual(load({ env }).said, [
    "warning WEBHOOK_ADDRESS_FILE: the file cannot be read (ENOENT): /run/address; the output webhook is off",
  ]);
});

test("no planted secret shows in what is displayed, and every one is in the list for loggers", () => {
  const { config, said } = load({
    yaml: `webhook:
  - name: a
    address: https://user:canary-pass@hooks.example.org/services/canary-path?key=canary-query
    customheaders: {Authorization: canary-header}
auth: {token: canary-token, tokens: {Falco: canary-sender}}
queue: {redis: {url: 'redis://:canary-redis@127.0.0.1/0', sentinelpassword: canary-sentinel}}
prometheus: {token: canary-metrics}
operators: {token: canary-operator}
aws: {sqs: {url: 'http://u:canary-userinfo@q/1?sig=canary-sig'}}
`,
    env: { HTTPS_PROXY: "http://u:canary-proxy@proxy:3128" },
  });
  assert.deepEqual(said, []);
  const shown = describeConfig(config, []) + JSON.stringify(redact(config));
  assert.ok(!shown.includes("canary"), shown);
  assert.ok(shown.includes("https://hooks.example.org/***"));
  const secrets = secretsOf(config);
  const canaries = [
    "pass",
    "query",
    "header",
    "token",
    "sender",
    "redis",
    "sentinel",
    "userinfo",
    "sig",
    "proxy",
    "metrics",
    "operator",
  ];
  for (const canary of canaries) assert.ok(secrets.includes(`canary-${canary}`), canary);
  const declared = Object.values(globalFields).filter((field) => fieldMeta(field).secret).length;
  assert.equal(declared, 7, "a secret of the hub that is not in the list above");
  assert.ok(secrets.includes("/services/canary-path"));
});

test("a URL is shown without credentials and query values, other text as it is", () => {
  assert.equal(redactText("https://u:p@h:1/x?a=1&b=2"), "https://***@h:1/x?a=***&b=***");
  assert.equal(redactText("https://h/x"), "https://h/x");
  assert.equal(redactText("a: b"), "a: b");
});

test("a client certificate that is not there is left out, named with its file", () => {
  const yaml = "mutualtlsclient: {certfile: /c/my.crt}\nwebhook:\n  address: https://127.0.0.1/\n  mutualtls: true\n";
  assert.deepEqual(load({ yaml }).said, [
    "warning eyrie.yaml:1:29: mutualtlsclient.certfile: the file cannot be read (ENOENT): /c/my.crt; it is left out",
    "warning eyrie.yaml:4:14: webhook.mutualtls: the file cannot be read (ENOENT): /etc/certs/client.key; it is left out",
    "warning eyrie.yaml:4:14: webhook.mutualtls: the file cannot be read (ENOENT): /etc/certs/ca.crt; it is left out",
  ]);
});

test("mutualtls makes checkcert false without effect, as in falcosidekick", () => {
  const transport = (yaml: string) => load({ yaml }).output("webhook")?.transport;
  assert.equal(transport("webhook: {address: 'https://h/', checkcert: false}\n")?.rejectUnauthorized, false);
  assert.equal(
    transport("webhook: {address: 'https://h/', checkcert: false, mutualtls: true}\n")?.rejectUnauthorized,
    true,
  );
});
