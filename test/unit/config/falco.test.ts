import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { outputs } from "../../../outputs/index.ts";
import { sources } from "../../../sources/index.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { formatProblem } from "../../../src/config/problem.ts";
import { loopHeader, loopMark } from "../../../src/sdk/loop.ts";

/** Loads falco.yaml as the hub does, with the real outputs and sources. */
const load = (yaml: string, overrides: readonly string[] = [], files: Readonly<Record<string, string>> = {}) => {
  const { config, problems } = loadConfig({
    file: "falco.yaml",
    env: {},
    overrides,
    outputs,
    sources,
    read: (path) => {
      const text = path === "falco.yaml" ? yaml : files[path];
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return text;
    },
  });
  const said = problems.map((p) => `${p.severity} ${formatProblem(p)}`);
  const output = (id: string) => config.outputs.find((o) => o.id === id);
  return { config, said, output, ids: config.outputs.map((o) => o.id) };
};

const pluginsOf = (...names: string[]): string =>
  `plugins: [${names.map((name) => `{name: ${name}, library_path: lib${name}.so}`).join(", ")}]\nload_plugins: [${names}]\n`;

for (const name of ["k8saudit-nowhere", "cloudtrail", "okta", "my_plugin"])
  test(`a loaded plugin that nothing stands in for stops the start by its name: ${name}`, () => {
    const { said } = load(pluginsOf("k8saudit", name, "json"));
    assert.equal(said.length, 1);
    assert.match(said[0] ?? "", new RegExp(`^error falco\\.yaml:1:\\d+: plugins\\.${name}: is not available`));
    assert.match(load(`plugins: [{name: ${name}}]\n`).said[0] ?? "", /^error .* is not available/);
    assert.deepEqual(load(`plugins: [{name: ${name}}]\nload_plugins: []\n`).said, []);
  });

test("a plugin that only adds fields is named when they are not here, and is no error", () => {
  assert.deepEqual(load(pluginsOf("k8saudit", "json")).said, []);
  assert.match(load(pluginsOf("container", "json")).said.join(), /^warning [^,]*plugins\.container: is not provided/);
});

test("http_output becomes a webhook, with its certificates, its agent and Falco's two forms", () => {
  const yaml = (json: boolean) => `json_output: ${json}
http_output: {enabled: true, url: 'https://collector:8443/in', insecure: true, user_agent: mine, keep_alive: true}
`;
  const mark = { [loopHeader]: loopMark("https://collector:8443/in") };
  const { output, said, ids } = load(yaml(true));
  assert.deepEqual(said, []);
  assert.deepEqual(ids, ["webhook.http_output"]);
  const webhook = output("webhook.http_output");
  assert.equal(webhook?.config.address, "https://collector:8443/in");
  assert.deepEqual(webhook?.config.customheaders, { "user-agent": "mine", ...mark });
  assert.equal(webhook?.config.body, "");
  assert.equal(webhook?.transport.checkcert, false);
  const text = load(yaml(false)).output("webhook.http_output");
  assert.equal(text?.config.body, "{{ .Output }}");
  assert.deepEqual(text?.config.customheaders, { "user-agent": "mine", "content-type": "text/plain", ...mark });
});

test("http_output names the key that is wrong or not done", () => {
  const block = (more: string) => load(`http_output:\n  enabled: true\n${more}`).said;
  assert.deepEqual(block(""), ["error falco.yaml:2:12: http_output.url: is missing"]);
  assert.deepEqual(block("  url: ftp://collector:8080\n"), [
    "warning falco.yaml:3:8: http_output.url: is not a URL that starts with http:// or https://; http_output is off",
  ]);
  const url = "  url: http://collector/\n";
  assert.deepEqual(block(`${url}  ca_cert: /nope.pem\n`), [
    "warning falco.yaml:4:12: http_output.ca_cert: the file cannot be read (ENOENT): /nope.pem; it is left out",
  ]);
  assert.match(
    block(`${url}  mtls: true\n`).join("\n"),
    /warning .*http_output\.client_cert: .*\n.*http_output\.client_key: /,
  );
  assert.match(
    block(`${url}  compress_uploads: true\n`).join(),
    /^warning falco\.yaml:4:21: http_output\.compress_uploads: is not done/,
  );
  assert.match(
    block(`${url}  echo: true\n  ca_path: /certs\n`).join("\n"),
    /ca_path: is not read(.|\n)*|echo: is not done/,
  );
});

test("http_output that points at the hub itself is left out: alerts would come back for ever", () => {
  for (const host of ["localhost:2801", "127.0.0.1:2801", "[::1]:2801"]) {
    const { said, ids } = load(`http_output: {enabled: true, url: 'http://${host}/'}\n`);
    assert.deepEqual(ids, []);
    assert.match(said.join(), /^warning .*http_output\.url: is this hub itself/);
  }
  assert.deepEqual(load("listenport: 2802\nhttp_output: {enabled: true, url: 'http://localhost:2801'}\n").ids, [
    "webhook.http_output",
  ]);
});

test("an instance that bears the name of a block of falco.yaml would share its lane: an error", () => {
  const yaml = "webhook: [{name: http_output, address: 'http://a/'}]\nhttp_output: {enabled: true, url: 'http://b/'}\n";
  assert.match(load(yaml).said.join(), /^error falco\.yaml:2:24: http_output: is called webhook\.http_output/);
});

test("file_output and stdout_output become outputs, as JSON or as Falco's lines; -o sets them the same way", () => {
  const { output, said } = load(
    "file_output: {enabled: true, keep_alive: true, filename: /tmp/e.txt}\nstdout_output: {enabled: true}\n",
  );
  assert.deepEqual(said, []);
  assert.deepEqual(output("file.file_output")?.config, { filename: "/tmp/e.txt", format: "output" });
  assert.deepEqual(output("stdout.stdout_output")?.config, { enabled: true, format: "output" });
  const flags = ["file_output.enabled=true", "file_output.filename=/tmp/e.txt", "json_output=true"];
  assert.deepEqual(load("", flags).output("file.file_output")?.config, { filename: "/tmp/e.txt", format: "json" });
  assert.deepEqual(load("file_output: {enabled: true}\n").said, [
    "error falco.yaml:1:24: file_output.filename: is missing",
  ]);
  assert.deepEqual(load("stdout: {enabled: true, format: json}\nstdout_output: {enabled: true}\n").ids, ["stdout"]);
});

test("outputs of Falco that are not done are named", () => {
  const { said, ids } = load(
    "program_output: {enabled: true, program: mail}\ngrpc_output: {enabled: true}\ngrpc: {enabled: true}\n",
  );
  assert.deepEqual(ids, []);
  assert.match(
    said.join("\n"),
    /^warning .*program_output: is not done.*\nwarning .*grpc_output\.enabled: is not done/,
  );
  assert.equal(said.length, 2);
});

test("keys without effect that ask for something are named in one warning, Falco's defaults in none", () => {
  const { said } = load("engine: {kind: modern_ebpf}\nlog_level: debug\noutputs_queue: {capacity: 10}\n");
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /^warning falco\.yaml:1:1: engine, log_level, outputs_queue: without effect here/);
  const defaults =
    "log_level: info\nlog_stderr: true\nlog_syslog: true\nbuffered_outputs: false\noutput_timeout: 2000\n" +
    "outputs_queue: {capacity: 0}\nwatch_config_files: true\nmetrics: {enabled: false, interval: 1h}\noutputs: {rate: 0, max_burst: 1000}\nengine: {kind: nodriver}\n" +
    "webserver: {enabled: true, threadiness: 0, listen_port: 8765, k8s_healthz_endpoint: /healthz, ssl_enabled: false}\n" +
    "grpc: {enabled: false}\ngrpc_output: {enabled: false}\nprogram_output: {enabled: false, program: x}\n" +
    "http_output: {enabled: false, ca_path: /etc/falco/certs/, echo: false, max_consecutive_timeouts: 5}\n" +
    "config_files: [/etc/falco/config.d]\nlibs_logger: {enabled: true, severity: info}\nfalco_libs: {thread_table_size: 262144}\n" +
    "syscall_event_drops: {threshold: .1, actions: [log, alert], rate: .03333, max_burst: 1, simulate_drops: false}\n" +
    "syscall_event_timeouts: {max_consecutives: 1000}\nmetadata_download: {max_mb: 100, chunk_wait_us: 1000}\n" +
    "modern_bpf: {cpus_for_each_syscall_buffer: 2}\nsyscall_buf_size_preset: 4\ncontainer_engines: {docker: {enabled: true}}\n";
  assert.deepEqual(load(defaults).said, []);
  assert.deepEqual(load("libs_logger: {enabled: false}\noutputs: {rate: 1, max_burst: 1000}\n").said, []);
  assert.equal(load("syscall_event_drops: {rate: .03333, max_burst: 7}\n").said.length, 1);
});

test("webserver.k8s_audit_endpoint opens the listener that Falco up to 0.31 had", () => {
  const { config, said } = load("webserver: {enabled: true, listen_port: 8765, k8s_audit_endpoint: /k8s-audit}\n");
  assert.deepEqual(said, []);
  assert.deepEqual(
    config.sources.map(({ source, config: { listen } }) => [source.name, listen]),
    [["k8saudit", "http://:8765/k8s-audit"]],
  );
  const secure = load(
    "webserver: {enabled: true, k8s_audit_endpoint: /a, listen_address: 127.0.0.1, ssl_enabled: true, ssl_certificate: /x.pem}\n",
  ).config.sources[0]?.config;
  assert.deepEqual([secure?.listen, secure?.sslcertificate], ["https://127.0.0.1:8765/a", "/x.pem"]);
  assert.deepEqual(load("webserver: {enabled: false, k8s_audit_endpoint: /a}\n").config.sources, []);
  assert.deepEqual(load("webserver: {enabled: true, k8s_audit_endpoint: k8s-audit}\n").said, [
    "error falco.yaml:1:48: webserver.k8s_audit_endpoint: must begin with /",
  ]);
  assert.deepEqual(load("webserver: {k8s_audit_endpoint: /a, listen_port: 99999}\n").said, [
    "error falco.yaml:1:50: webserver.listen_port: must be 65535 or less",
  ]);
  assert.deepEqual(load("webserver: {listen_port: 99999}\n").said, []);
  assert.equal(load("webserver: {k8s_audit_endpoint: /a}\nload_plugins: [k8saudit]\n").config.sources.length, 1);
  const both = load(`webserver: {k8s_audit_endpoint: /k8s-audit}\n${pluginsOf("k8saudit")}`);
  assert.equal(both.config.sources.length, 1);
  assert.match(both.said.join(), /^warning .*k8s_audit_endpoint: is left out: the k8saudit plugin/);
});

test("config_files are laid over the file in their order, by three strategies", () => {
  const files = {
    "/a.yaml": "rules_files: [two.yaml]\npriority: error\n",
    "/b.yaml": "rules_files: [three.yaml]\n",
    "/c.yaml": "priority: debug\njson_output: true\n",
  };
  const main = (entries: string) => `config_files: [${entries}]\nrules_files: [one.yaml]\npriority: warning\n`;
  const read = (entries: string) => load(main(entries), [], files);
  assert.deepEqual(read("/a.yaml").config.falco.rules_files, ["one.yaml", "two.yaml"]);
  assert.equal(read("/a.yaml").config.falco.priority, "Error");
  assert.deepEqual(read("/a.yaml, {path: /b.yaml, strategy: override}").config.falco.rules_files, ["three.yaml"]);
  const added = read("{path: /c.yaml, strategy: add-only}").config.falco;
  assert.deepEqual([added.priority, added.json_output], ["Warning", true]);
  assert.match(read("{path: /c.yaml, strategy: some}").said.join(), /strategy must be one of/);
  assert.match(read("/gone.yaml").said.join(), /^warning .*config_files: \/gone\.yaml is not there/);
  assert.match(read("falco.yaml").said.join(), /names itself/);
  const named = load("rules_files: [one.yaml]\n", ["config_files[]=/b.yaml", "rules_files[]=four.yaml"], files).config;
  assert.deepEqual(named.falco.rules_files, ["one.yaml", "three.yaml", "four.yaml"]);
  const nested = load(main("/n.yaml"), [], { "/n.yaml": "config_files: [/a.yaml]\npriority: bogus\n" }).said;
  assert.deepEqual(nested, ["error /n.yaml:1:15: config_files: must not stand in a file that config_files names"]);
});

test("a folder of config_files is read in the order of its names, faults are placed in their own file", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "eyrie-config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "config.d"));
  const file = (name: string, text: string) => writeFileSync(join(folder, name), text);
  file("falco.yaml", `config_files: [${folder}/config.d]\nrules_files: [one.yaml]\n`);
  file("config.d/20.yaml", "rules_files: [three.yaml]\n");
  file("config.d/10.yaml", "rules_files: [two.yaml]\npriority: bogus\n");
  file("config.d/notes.txt", "not: [yaml");
  const { config, problems } = loadConfig({ file: join(folder, "falco.yaml"), env: {}, outputs, sources });
  assert.deepEqual(config.falco.rules_files, ["one.yaml", "two.yaml", "three.yaml"]);
  assert.deepEqual(
    problems.map(({ file, line, key }) => [file, line, key]),
    [[join(folder, "config.d/10.yaml"), 2, "priority"]],
  );
});

test("a block with a switch is on when it is there, also when it is empty, unless it says otherwise", () => {
  for (const yaml of ["stdout: {}\n", "stdout: {format: json}\n", "stdout: [{name: a}]\n"])
    assert.equal(load(yaml).config.outputs.length, 1, yaml);
  for (const yaml of ["stdout:\n", "stdout: {enabled: false, format: json}\n", "webhook: {}\n"])
    assert.deepEqual(load(yaml).ids, [], yaml);
});

test("http_output.url may lack its scheme, as curl in Falco takes it", () => {
  for (const url of ["falcosidekick:2801", "collector.example/in"]) {
    const { output, said } = load(`http_output: {enabled: true, url: '${url}'}\n`);
    assert.deepEqual(said, ["warning falco.yaml:1:35: http_output.url: has no scheme: http:// is assumed"]);
    assert.equal(output("webhook.http_output")?.config.address, `http://${url}`);
  }
  assert.match(load("http_output: {enabled: true, url: localhost:2801}\n").said.join(), /is this hub itself/);
});
