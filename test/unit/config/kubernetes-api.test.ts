import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./fixture.ts";

const folder = "/var/run/secrets/kubernetes.io/serviceaccount";
const token = { [`${folder}/token`]: "abc\n" };
const env = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "6443" };
const plugin = `plugins: [{ name: k8smeta, init_config: { collectorHostname: c, nodeName: n } }]\nload_plugins: [k8smeta]\n`;

/** Without a CA: what a file of one holds is tested where it is read. */
const read = (metadata: string, given: Parameters<typeof load>[0] = {}) => {
  const yaml = `${given.yaml ?? ""}metadata: { apicacertfile: "", ${metadata} }\n`;
  const { config, said } = load({ env, files: token, ...given, yaml });
  const told = said.filter((line) => line.includes("metadata"));
  return { ...config.metadata, told };
};

test("in a cluster its API is asked with what every container has", () => {
  const { kubernetes, told, collectors } = read("kubernetes: true");
  assert.deepEqual(
    [kubernetes, told, collectors],
    [{ url: "https://10.96.0.1:6443", tokenFile: `${folder}/token` }, [], []],
  );
  assert.equal(read("kubernetes: false").kubernetes, undefined);
  const six = { KUBERNETES_SERVICE_HOST: "fd00::1" };
  assert.equal(read("kubernetes: true", { env: six }).kubernetes?.url, "https://[fd00::1]:443");
});

test("a URL without TLS is shown no token, and no token is needed for it", () => {
  const { kubernetes, told } = read("kubernetes: true, apiserver: 'http://127.0.0.1:8001'", { files: {} });
  assert.deepEqual([kubernetes, told], [{ url: "http://127.0.0.1:8001" }, []]);
  const refused = read(`kubernetes: true, apiserver: 'http://x', tokenfile: "${folder}/token"`);
  assert.match(refused.told.join("\n"), /error .*metadata\.tokenfile: metadata\.apiserver is without TLS/);
  assert.equal(read("kubernetes: true, tokenfile: ''", { files: {} }).kubernetes?.tokenFile, undefined);
});

test("what the API cannot be asked with is an error, and no value of a file is in it", () => {
  assert.match(read("kubernetes: true", { env: {} }).told.join("\n"), /error .*the hub runs in no cluster/);
  assert.match(read("kubernetes: true", { files: {} }).told.join("\n"), /error .*tokenfile.*ENOENT/);
  const two = read("kubernetes: true", { files: { [`${folder}/token`]: "two words" } }).told.join("\n");
  assert.match(two, /error .*metadata\.tokenfile: holds no token/);
  assert.ok(!two.includes("two words"));
  assert.match(read("kubernetes: true, wait: 61s").told.join("\n"), /error .*metadata\.wait: is more than a minute/);
});

test("beside collectors the API is asked for the nodes that they lack, and for nothing where they have them", () => {
  const lacking = read("kubernetes: true, collectors: [c1]");
  assert.deepEqual([lacking.collectors, lacking.told], [[{ address: "c1:45000" }], []]);
  assert.ok(lacking.kubernetes);
  const having = read("kubernetes: true, collectors: [c1], nodes: [n]");
  assert.deepEqual([having.collectors[0]?.nodes, having.kubernetes], [["n"], undefined]);
  assert.match(having.told.join("\n"), /warning .*metadata\.kubernetes: is not needed/);
});

test("in place of falco.yaml's k8smeta the API is asked, and its collector is not", () => {
  const { collectors, kubernetes, told } = read("kubernetes: true", { yaml: plugin });
  assert.deepEqual([collectors, kubernetes !== undefined], [[], true]);
  assert.match(told.join("\n"), /warning .*takes the place of falco\.yaml's k8smeta/);
  assert.equal(read("kubernetes: false", { yaml: plugin }).collectors.length, 1);
  const both = read("kubernetes: true, collectors: [c1]", { yaml: plugin });
  assert.deepEqual(
    both.collectors.map(({ nodes }) => nodes),
    [undefined, ["n"]],
  );
});
