import assert from "node:assert/strict";
import { test } from "node:test";
import { falcosidekickKeys } from "../../../src/config/falcosidekick-keys.ts";
import { load } from "./fixture.ts";

test("every problem is listed at once, in the order of the file, with line and column", () => {
  const { said } = load({
    yaml: [
      "listenport: 70000",
      "debug: maybe",
      "queue: {driver: rabbit}",
      "webhook:",
      "  address: nope",
      "  useemoji: [1]",
      "  retry: {max: 10x}",
      "tlsserver: {deploy: true, certfile: /nope}",
    ].join("\n"),
    files: { "/etc/certs/server/server.key": "-----BEGIN PRIVATE KEY-----" },
  });
  assert.deepEqual(said, [
    "error eyrie.yaml:1:13: listenport: must be 65535 or less",
    "warning eyrie.yaml:2:8: debug: must be true or false; its default is used",
    "error eyrie.yaml:3:17: queue.driver: must be one of sqlite, redis",
    "warning eyrie.yaml:5:12: webhook.address: is not a URL that starts with http:// or https://; the output webhook is off",
    "warning eyrie.yaml:6:13: webhook.useemoji: must be true or false; its default is used",
    "warning eyrie.yaml:7:16: webhook.retry.max: is not a duration such as 500ms, 10s or 5m; its default is used",
    "error eyrie.yaml:8:37: tlsserver.certfile: the file cannot be read (ENOENT): /nope",
  ]);
});

test("a fault in the environment is named by its variable and never shows a secret's value", () => {
  const { said } = load({ env: { LISTENPORT: "abc", WEBHOOK_ADDRESS: "sekret-not-a-url" } });
  assert.deepEqual(said, [
    "error LISTENPORT: must be a number",
    "warning WEBHOOK_ADDRESS: is not a URL that starts with http:// or https://; the output webhook is off",
  ]);
});

test("an unknown key warns with the nearest one", () => {
  assert.deepEqual(load({ yaml: "listenprot: 1\nwebhok: {a: 1}\nwebhook: {adress: x}\nzzzzzzzz: 1\n" }).said, [
    "warning eyrie.yaml:1:1: listenprot: unknown key, did you mean listenport?",
    "warning eyrie.yaml:2:1: webhok: unknown key, did you mean webhook?",
    "warning eyrie.yaml:3:11: webhook.adress: unknown key, did you mean webhook.address?",
    "warning eyrie.yaml:4:1: zzzzzzzz: unknown key",
  ]);
});

test("an unknown variable that is one letter off warns, variables of others do not", () => {
  assert.deepEqual(load({ env: { WEBHOOK_ADRESS: "x", PATH: "/bin", WEBHOOK_SERVICE_HOST: "10.0.0.1" } }).said, [
    "warning WEBHOOK_ADRESS: unknown variable, did you mean WEBHOOK_ADDRESS?",
  ]);
});

test("all 518 keys of falcosidekick are known: at their defaults, in YAML, none is reported", () => {
  assert.equal(falcosidekickKeys.size, 518);
  const yaml = [...falcosidekickKeys].map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join("\n");
  assert.deepEqual(load({ yaml, outputs: [] }).said, []);
});

test("a falcosidekick output that is not there yet is named once, in YAML and in the environment", () => {
  assert.deepEqual(load({ yaml: "kafka: {hostport: 'a:1', topic: t, minimumpriority: ''}\n" }).said, [
    "warning eyrie.yaml:1:9: kafka: known key of falcosidekick, this output is not available yet",
  ]);
  assert.deepEqual(load({ env: { KAFKA_HOSTPORT: "a:1", KAFKA_TOPIC: "t" } }).said, [
    "warning KAFKA_HOSTPORT: known key of falcosidekick, this output is not available yet",
  ]);
});

test("broken YAML, two values for a key and a missing file are errors with their place", () => {
  assert.match(load({ yaml: "a: 1\nslack:\n\tx: 1\n" }).said[0] ?? "", /^error eyrie\.yaml:3:1: YAML: Tabs/);
  assert.match(load({ yaml: "webhook: [unclosed\n" }).said[0] ?? "", /^error eyrie\.yaml:2:1: YAML: /);
  assert.deepEqual(load({ yaml: "webhook: {method: a}\nWebhook: {METHOD: b}\n" }).said, [
    "error eyrie.yaml:2:11: webhook.method: given twice, first in line 1",
  ]);
  const { said } = load({ yaml: "- a\n" });
  assert.deepEqual(said, ["error eyrie.yaml:1:1: the file must hold keys and values"]);
});

test("an alias that holds itself and one that grows without bound do no harm", () => {
  assert.match(load({ yaml: "customtags: &a [*a]\n" }).said[0] ?? "", /no anchor "a"/);
  const bomb = [
    "a: &a [x,x,x,x,x,x,x,x,x]",
    ..."bcdefghi".split("").map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefgh"[i]}`).join(",")}]`),
  ];
  assert.equal(load({ yaml: bomb.join("\n") }).said.length, 9);
  const maps = bomb.map((line) =>
    line.replace(
      /\[.*\]/,
      (list) =>
        `{${"pqrstuvwx".replaceAll(/./g, "$&: 1, ")} ${list.includes("*") ? list.slice(1, -1).replaceAll(/[*]./g, (alias, at) => `k${at}: ${alias}`) : ""}}`,
    ),
  );
  assert.equal(load({ yaml: [...maps, "kafka: *i", "webhook: {nonsense: *i}"].join("\n") }).said.length, 10);
});

test("minimumpriority without effect is taken as falcosidekick takes it, with a warning; in a list it is an error", () => {
  const address = "http://127.0.0.1/";
  const level = (value: string) => load({ env: { WEBHOOK_ADDRESS: address, WEBHOOK_MINIMUMPRIORITY: value } });
  assert.equal(level("WARNING").output("webhook")?.match.minimumpriority, "Warning");
  for (const odd of ["info", "bogus", "xxcriticalxx"]) {
    assert.equal(level(odd).output("webhook")?.match.minimumpriority, undefined);
    assert.match(level(odd).said[0] ?? "", /^warning WEBHOOK_MINIMUMPRIORITY: ".*" has no effect/);
  }
  const { said, output } = load({
    yaml: `webhook:\n  - {name: a, address: '${address}', minimumpriority: info}\n  - {name: b, address: '${address}', minimumpriority: bogus}\n`,
  });
  assert.equal(output("webhook.a")?.match.minimumpriority, "Informational");
  assert.deepEqual(said, ["error eyrie.yaml:3:62: webhook[1].minimumpriority: is not a priority"]);
});

test("an output's own check is reported where its key stands", () => {
  assert.deepEqual(load({ yaml: "webhook:\n  address: http://127.0.0.1/\n  method: BREW\n" }).said, [
    "warning eyrie.yaml:3:11: webhook.method: is for teapots; the output webhook is off",
  ]);
});

test("a template that cannot be compiled warns and names its field", () => {
  const { said } = load({ yaml: "templatedfields: {good: '{{ .x }}', bad: '{{ .x '}\n" });
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /^warning eyrie\.yaml:1:18: templatedfields: "bad" is left out: /);
});

test("a key that another makes needed is named itself, not the variable of that other", () => {
  assert.deepEqual(load({ overrides: ["queue.driver=redis"] }).said, [
    "error queue.redis.url: is missing: the redis driver needs it",
  ]);
  assert.deepEqual(load({ env: { QUEUE_REDIS_SENTINELS: "nowhere" } }).said, [
    'error QUEUE_REDIS_SENTINELS: "nowhere" is not host:port',
  ]);
  assert.deepEqual(load({ env: { TLSSERVER_DEPLOY: "true" } }).said, [
    "error TLSSERVER_CERTFILE: the file cannot be read (ENOENT): /etc/certs/server/server.crt",
    "error TLSSERVER_KEYFILE: the file cannot be read (ENOENT): /etc/certs/server/server.key",
  ]);
});

test("a text that YAML takes for a tag is named, not read as empty without a word, and shows nothing of it", () => {
  const { said } = load({ yaml: "queue:\n  redis:\n    password: !Summer2026\nslack: {channel: !x y}\n" });
  const tag = "YAML: a tag that is not known; a text that begins with ! needs quotes";
  assert.deepEqual(said, [`warning eyrie.yaml:3:15: ${tag}`, `warning eyrie.yaml:4:18: ${tag}`]);
});
