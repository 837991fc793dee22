import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./fixture.ts";

const address = "http://127.0.0.1:1/";

test("defaults are falcosidekick's, and nothing is wrong with an empty configuration", () => {
  const { config, said } = load({});
  assert.equal(config.listenport, 2801);
  assert.equal(config.tlsserver.notlsport, 2810);
  assert.equal(config.queue.driver, "sqlite");
  assert.deepEqual(config.outputs, []);
  assert.deepEqual(said, []);
});

test("the environment wins over YAML, an empty variable does not, and a flag wins over both", () => {
  const yaml = `listenport: 1\ndatadir: y\nwebhook: {address: '${address}', method: PUT}\n`;
  const env = { LISTENPORT: "2", DATADIR: "", WEBHOOK_METHOD: "PATCH", webhook_useemoji: "true" };
  const { config, output } = load({ yaml, env, overrides: ["listenport=3"] });
  assert.equal(config.listenport, 3);
  assert.equal(config.datadir, "y");
  assert.equal(output("webhook")?.config.method, "PATCH");
  assert.equal(output("webhook")?.config.useemoji, false);
});

test("keys are found in any case, nested or written with dots", () => {
  const { config, output, said } = load({
    yaml: `listenPort: 5\noutputFieldFormat: x\nWEBHOOK:\n  Address: ${address}\n  batching.batchsize: 7\nQueue.Durability: full\n`,
  });
  assert.equal(config.listenport, 5);
  assert.equal(config.outputfieldformat, "x");
  assert.equal(config.queue.durability, "full");
  assert.equal(output("webhook")?.config["batching.batchsize"], 7);
  assert.deepEqual(said, []);
});

test("maps of the environment are split at commas and the first colon, or are a JSON object, and replace the YAML map", () => {
  const yaml = `webhook:\n  address: ${address}\n  customheaders: {X-Old: o}\n`;
  const split = load({ yaml, env: { WEBHOOK_CUSTOMHEADERS: "X-A:1, X-B: http://b:2 ,bad" } });
  assert.deepEqual(split.output("webhook")?.config.customheaders, { "X-A": "1", "X-B": "http://b:2" });
  assert.deepEqual(split.said, ["warning WEBHOOK_CUSTOMHEADERS: an item is not key:value and is left out"]);
  const json = load({ yaml, env: { WEBHOOK_CUSTOMHEADERS: '{"X-A":"a,b:c","X-N":1}' } });
  assert.deepEqual(json.output("webhook")?.config.customheaders, { "X-A": "a,b:c", "X-N": "1" });
});

test("keys of a YAML map are lower-cased as falcosidekick does, dots in them are kept", () => {
  const { config } = load({ yaml: "customfields: {Akey: AValue, proc.name: CF, n: 1, b: true}\n" });
  assert.deepEqual(config.customfields, { akey: "AValue", "proc.name": "CF", n: "1", b: "1" });
});

test("CUSTOMFIELDS keeps case and resolves %NAME; CUSTOMTAGS loses its blanks; templates may hold commas and colons", () => {
  const { config, said } = load({
    env: {
      CUSTOMFIELDS: "Akey:AValue,b.key:b v,pct:%HOME,gone:%NOPE",
      CUSTOMTAGS: "t1, t 2,t3",
      TEMPLATEDFIELDS: 'D.key:{{ or (index . "a,b:c") "x" }},e:1',
      HOME: "/opt/home",
    },
  });
  assert.deepEqual(config.customfields, { Akey: "AValue", "b.key": "b v", pct: "/opt/home" });
  assert.deepEqual(config.customtags, ["t1", "t2", "t3"]);
  assert.deepEqual(config.templatedfields, { "D.key": '{{ or (index . "a,b:c") "x" }}', e: "1" });
  assert.deepEqual(said, ['warning CUSTOMFIELDS: "gone" is left out: the variable NOPE is not set']);
});

test("booleans are Go's spellings, numbers may be quoted, a comma text is a list", () => {
  for (const [spelling, value] of [
    ["1", true],
    ["t", true],
    ["TRUE", true],
    ["F", false],
    ["0", false],
  ] as const)
    assert.equal(
      load({ env: { WEBHOOK_ADDRESS: address, WEBHOOK_USEEMOJI: spelling } }).output("webhook")?.config.useemoji,
      value,
    );
  const { config, output } = load({
    yaml: `debug: 'true'\nlistenport: '12'\nwebhook: {address: '${address}', targets: 'a, b c,'}\n`,
  });
  assert.equal(config.debug, true);
  assert.equal(config.listenport, 12);
  assert.deepEqual(output("webhook")?.config.targets, ["a", "b c"]);
});

test("a number where text is wanted keeps its digits, even beyond a double", () => {
  const { config } = load({ yaml: "customfields: {a: 12345678901234567890, b: -1001234567890, c: 0.7}\n" });
  assert.deepEqual(config.customfields, { a: "12345678901234567890", b: "-1001234567890", c: "0.7" });
});

test("what Kubernetes sets for a service named like an output is ignored", () => {
  const { output, said } = load({ env: { WEBHOOK_ADDRESS: address, WEBHOOK_PORT: "tcp://10.0.0.1:8080" } });
  assert.equal(output("webhook")?.config.port, 80);
  assert.deepEqual(said, []);
});

test("a variable that other programs read too is used when it fits, and else not mentioned", () => {
  const env = { DEBUG: "koa*", ROLE: "security", LOG_LEVEL: "WARNING", LOG_FORMAT: "text", QUEUE_DRIVER: "database" };
  const { config, said } = load({ env });
  assert.deepEqual(said, []);
  assert.deepEqual(
    [config.debug, config.role, config.log, config.queue.driver],
    [false, "all", { level: "info", format: "auto" }, "sqlite"],
  );
  const fit = load({ env: { DEBUG: "1", LOG_LEVEL: "Warn", LOG_FORMAT: "JSON" } }).config;
  assert.deepEqual([fit.debug, fit.log], [true, { level: "warn", format: "json" }]);
  assert.equal(
    load({ yaml: "role: security\n" }).said[0],
    "error eyrie.yaml:1:7: role: must be one of all, intake, worker",
  );
});

test("a lone QUEUE_DRIVER or ROLE was meant for another program, beside a Redis it is the hub's", () => {
  const url = "redis://127.0.0.1/0";
  for (const env of [{ QUEUE_DRIVER: "redis" }, { ROLE: "worker" }, { QUEUE_DRIVER: "redis", ROLE: "intake" }]) {
    const { said, config } = load({ env });
    assert.deepEqual([said, config.queue.driver, config.role], [[], "sqlite", "all"]);
  }
  assert.equal(load({ env: { ROLE: "worker", QUEUE_REDIS_URL: url } }).config.role, "worker");
  assert.equal(load({ yaml: `queue: {redis: {url: '${url}'}}\n`, env: { ROLE: "intake" } }).config.role, "intake");
  for (const given of [{ yaml: "role: worker\n" }, { overrides: ["role=worker"] }])
    assert.match(load(given).said.join(), /^error .*worker shares its queue/);
});

test("a Redis URL selects the redis driver; the driver without a Redis is an error", () => {
  assert.equal(load({ env: { QUEUE_REDIS_URL: "redis://127.0.0.1/0" } }).config.queue.driver, "redis");
  assert.deepEqual(load({ yaml: "queue: {driver: redis}\n" }).said, [
    "error eyrie.yaml:1:17: queue.redis.url: is missing: the redis driver needs it",
  ]);
});

test("a key of `aws` fills the same key of `aws.sqs`, whose own wins", () => {
  const url = "http://127.0.0.1/q";
  const shared = load({ yaml: `aws: {region: eu, sqs: {url: '${url}'}}\n` });
  assert.equal(shared.output("aws.sqs")?.config.region, "eu");
  assert.equal(shared.output("aws.sqs")?.delivery.maxconcurrentrequests, 3);
  assert.equal(load({ env: { AWS_SQS_URL: url, AWS_REGION: "us" } }).output("aws.sqs")?.config.region, "us");
  assert.equal(
    load({ yaml: `aws: {region: eu, sqs: {url: '${url}', region: ap}}\n` }).output("aws.sqs")?.config.region,
    "ap",
  );
});
