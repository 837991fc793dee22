import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { sources } from "../../../sources/index.ts";
import { checkConfig } from "../../../src/cli/check-config.ts";
import type { Command } from "../../../src/cli/command.ts";
import { hub } from "../../../src/cli/hub.ts";
import { lockDirectory } from "../../../src/queue/sqlite/lock.ts";
import { makeAuthority } from "../../fakes/certificates.ts";
import { runCommand } from "../../support/command-io.ts";

const folder = mkdtempSync(join(tmpdir(), "eyrie-preflight-"));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const authority = makeAuthority();
const { cert, key } = authority.server();
const certOnly = file("cert.pem", cert);
const keyOnly = file("key.pem", key);
const pair = file("pair.pem", key + cert);
const strangers = file("strangers.pem", authority.server().key + cert);
const notPem = file("text.pem", "hello");

const busy = createServer();
busy.listen(0, "127.0.0.1");
await once(busy, "listening");
after(() => busy.close());
const busyPort = (busy.address() as AddressInfo).port;

const run = (command: Command, yaml: string, args: readonly string[] = []) =>
  runCommand(
    command,
    ["-c", file("eyrie.yaml", yaml), ...args],
    { DATADIR: join(folder, "data"), LISTENADDRESS: "127.0.0.1" },
    sources,
  );

const audit = (more: string, listen = "https://127.0.0.1:0/k8s-audit"): string =>
  `listenport: 0\nk8saudit: {listen: '${listen}', ${more}}\n`;

/** What is wrong → the key that is blamed and what is said. */
const faulty: Readonly<Record<string, readonly [yaml: string, said: RegExp]>> = {
  "a PEM that is missing": [audit("sslcertificate: /nope.pem"), /k8saudit\.sslcertificate: the file cannot be read/],
  "a PEM without a key": [
    audit(`sslcertificate: ${certOnly}`),
    /k8saudit\.sslcertificate: the file holds no private key/,
  ],
  "a PEM without a certificate": [
    audit(`sslcertificate: ${keyOnly}`),
    /k8saudit\.sslcertificate: the file holds no certificate/,
  ],
  "a PEM whose key is another's": [audit(`sslcertificate: ${strangers}`), /sslcertificate: the file does not fit TLS/],
  "a server's key that is a certificate": [
    `listenport: 0\ntlsserver: {deploy: true, certfile: ${certOnly}, keyfile: ${certOnly}}\n`,
    /tlsserver\.keyfile: holds no private key/,
  ],
  "a server's key of another certificate": [
    `listenport: 0\ntlsserver: {deploy: true, certfile: ${certOnly}, keyfile: ${strangers}}\n`,
    /tlsserver\.certfile: the key is not that of the certificate/,
  ],
  "senders' tokens without a colon": ["listenport: 0\nauth: {tokens: 'secret'}\n", /auth\.tokens: /],
  "a CA that is none": [
    audit(`sslcertificate: ${pair}, clientcafile: ${notPem}`),
    /k8saudit\.clientcafile: the file holds no certificate/,
  ],
  "client certificates without TLS": [
    audit(`clientcafile: ${certOnly}`, "http://127.0.0.1:0/k8s-audit"),
    /k8saudit\.clientcafile: only https:/,
  ],
  "a file of events that is not there": [
    "listenport: 0\nk8saudit: {file: /nope.jsonl}\n",
    /k8saudit\.file: is not there/,
  ],
  "a port in use": [`listenport: ${busyPort}\n`, new RegExp(`error:? .*listenport: port ${busyPort} is in use`)],
  "a source's port in use": [
    audit("", `http://127.0.0.1:${busyPort}/k8s-audit`),
    new RegExp(`k8saudit\\.listen: port ${busyPort} is in use`),
  ],
  "a plugin's port in use": [
    `listenport: 0\nload_plugins: [k8saudit]\nplugins: [{name: k8saudit, open_params: 'http://127.0.0.1:${busyPort}/k8s-audit'}]\n`,
    new RegExp(`plugins\\.k8saudit\\.open_params: port ${busyPort} is in use`),
  ],
  "a plugin's PEM without a key": [
    `listenport: 0\nplugins: [{name: k8saudit, init_config: {sslCertificate: ${certOnly}}, open_params: 'https://127.0.0.1:0/k'}]\n`,
    /plugins\.k8saudit\.init_config\.sslCertificate: the file holds no private key/,
  ],
  "an old web server's PEM that is missing": [
    "listenport: 0\nwebserver: {k8s_audit_endpoint: /k, listen_port: 0, ssl_enabled: true, ssl_certificate: /nope.pem}\n",
    /webserver\.ssl_certificate: the file cannot be read/,
  ],
  "an address of another host": ["listenport: 1\nlistenaddress: 192.0.2.1\n", /listenport: 192\.0\.2\.1 is no address/],
  "a port taken twice": [
    "listenport: 12801\nk8saudit: {listen: 'http://:12801/k8s-audit'}\n",
    /k8saudit\.listen: wants port 12801, which listenport has/,
  ],
  "two sources on one port": [
    "listenport: 0\nk8saudit:\n  - {name: a, listen: 'http://127.0.0.1:19765/a'}\n  - {name: b, listen: 'http://localhost:19765/b'}\n",
    /k8saudit\[1\]\.listen: wants port 19765, which k8saudit\[0\]\.listen has/,
  ],
  "a data folder that is a file": [`listenport: 0\ndatadir: ${certOnly}\n`, /datadir: .* is not a folder/],
  "rules with an error": [
    `listenport: 0\nrules_files: [${file("r.yaml", "- {rule: A, desc: d, condition: ka.nosuch = 1, output: o, priority: INFO, source: k8s_audit}\n")}]\n${audit("", "http://127.0.0.1:0/k").split("\n")[1]}\n`,
    /LOAD_ERR_COMPILE_CONDITION: [^\n]*ka\.nosuch/,
  ],
};

for (const [what, [yaml, said]] of Object.entries(faulty))
  test(`the start and check-config refuse ${what} in the same words`, async () => {
    // The environment would win.
    const args = Array.from(yaml.matchAll(/^(?:datadir|listenaddress): .*$/gm), ([line]) => [
      "-o",
      line.replace(": ", "="),
    ]).flat();
    const checked = await run(checkConfig, yaml, args);
    assert.equal(checked.code, 1, checked.stdout);
    assert.match(checked.stdout, said);
    const started = await run(hub, yaml, args);
    assert.equal(started.code, 1);
    assert.match(started.stderr, said);
  });

test("check-config --running leaves out what a running hub of that configuration holds", async () => {
  const unlock = lockDirectory(join(folder, "data", "queue"));
  try {
    const yaml = `listenport: ${busyPort}\n`;
    const { code, stdout } = await run(checkConfig, yaml);
    assert.equal(code, 1);
    assert.match(stdout, /datadir: another process uses the queue directory/);
    assert.equal((await run(checkConfig, yaml, ["--running"])).code, 0);
  } finally {
    unlock();
  }
});

test("check-config shows listeners, TLS, tokens without their text, and rules", async () => {
  const secure = file("server.crt", cert);
  const yaml = `listenport: 0
tlsserver: {deploy: true, certfile: ${secure}, keyfile: ${keyOnly}, notlspaths: [/metrics], notlsport: 0}
auth: {token: s3cret-token, tokens: {ops: s3cret-ops}}
k8saudit: {listen: 'https://127.0.0.1:0/k8s-audit', sslcertificate: ${pair}, bearertoken: s3cret-audit}
`;
  const { code, stdout } = await run(checkConfig, yaml);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^listens {3}127\.0\.0\.1, port any, TLS, 2 bearer tokens: alerts$/m);
  assert.match(stdout, /^listens {3}127\.0\.0\.1, port any, 2 bearer tokens: \/metrics$/m);
  assert.match(stdout, /^listens {3}127\.0\.0\.1, port any, TLS, 1 bearer token: events at \/k8s-audit$/m);
  assert.match(stdout, /^tls {7}.*server\.crt, .*key\.pem$/m);
  assert.match(stdout, /^tokens {4}auth\.token \*\*\*, ops \*\*\*$/m);
  assert.match(stdout, /^rules {5}.*k8s_audit_rules\.yaml\n {10}\d+ rules of \d+ take part, \d+ of k8s_audit$/m);
  assert.ok(!stdout.includes("s3cret"));
  const json = await run(checkConfig, yaml, ["--json"]);
  const shown = JSON.parse(json.stdout) as { listeners: unknown[]; rules: { files: string[]; defined: number } };
  assert.equal(shown.listeners.length, 3);
  assert.ok(shown.rules.defined > 0 && shown.rules.files.length === 1);
  assert.ok(!json.stdout.includes("s3cret"));
});

test("index names that Elasticsearch refuses, and paths without their slash, are named", async () => {
  const said = async (yaml: string): Promise<string> => (await run(checkConfig, `listenport: 0\n${yaml}`)).stdout;
  for (const index of ["Falco", "fal co", "_falco", "a/b", "..", `${"x".repeat(250)}`])
    assert.match(
      await said(`elasticsearch: {hostport: 'http://e:9200', index: '${index}'}\n`),
      /elasticsearch\.index: /,
      index,
    );
  for (const index of ["falco", "falco-prod_1", "<falco-{now/d}>"])
    assert.doesNotMatch(
      await said(`elasticsearch: {hostport: 'http://e:9200', index: '${index}'}\n`),
      /\.index: /,
      index,
    );
  assert.match(
    await said("alertmanager: {hostport: 'http://a', endpoint: api/v2/alerts}\n"),
    /alertmanager\.endpoint: must begin/,
  );
  assert.match(await said("loki: {hostport: 'http://l', endpoint: push}\n"), /loki\.endpoint: must begin/);
});

test("a client certificate without its key, or with a text in its place, is named where it is wrong", async () => {
  const said = async (more: string): Promise<string> =>
    (await run(checkConfig, `listenport: 0\nwebhook: {address: 'https://w/', ${more}}\n`)).stdout;
  assert.match(await said(`certfile: ${certOnly}`), /webhook\.keyfile: is missing; no client certificate is shown/);
  assert.match(await said(`keyfile: ${keyOnly}`), /webhook\.certfile: is missing/);
  assert.match(await said(`certfile: ${certOnly}, keyfile: ${certOnly}`), /webhook\.keyfile: holds no private key/);
  assert.doesNotMatch(await said(`certfile: ${certOnly}, keyfile: ${keyOnly}`), /^(warning|error) /m);
});

test("fields that cannot be labels of the metrics are warnings of check-config, one that is a label anyway is none", async () => {
  const yaml = `listenport: 0
customfields: {my-field: x}
prometheus: {extralabels: "cluster:production,region,k8s.ns.name"}
`;
  const { code, stdout } = await run(checkConfig, yaml);
  assert.equal(code, 0);
  assert.deepEqual(
    stdout.split("\n").filter((line) => line.startsWith("warning")),
    [
      'warning  customfields: "my-field" cannot be a label of the metrics, names of output fields can; it is left out there',
      'warning  prometheus.extralabels: "cluster:production" cannot be a label of the metrics, names of output fields can; it is left out there',
    ],
  );
});
