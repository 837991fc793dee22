import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { sources } from "../../../sources/index.ts";
import { run } from "../../../src/cli/run.ts";
import { eventLines, type Probe, probes } from "../../support/rule-probes.ts";

/** Exit code and what standard error said of the rules. */
type Said = readonly [exit: number, err: string];
interface Recorded {
  readonly name: string;
  readonly run?: Said;
  readonly validate?: Said;
  readonly text?: Said;
}

const recorded = new Map(
  gunzipSync(readFileSync(new URL("../../golden/rules-lang/cli.jsonl.gz", import.meta.url)))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Recorded)
    .map((each) => [each.name, each]),
);

/** Probes that the command does not answer as recorded, and why. */
const different: Readonly<Record<string, string>> = {
  "op-in-061": "ka.sourceips reads the event's sourceIPs here, in the plugin it never has a value",
  "output-103": "ka.sourceips reads the event's sourceIPs here, in the plugin it never has a value",
  "files-plugin-req-second": "what asks for plugins that are not here is taken on trust",
  "rulekeys-evttype-bad": "names of kernel events are not known here: rules of that source load and never match",
  "input-array-one-bad": "the audit source keeps the good elements of an array beside a bad one",
  "input-line-70k": "lines of any length are taken",
  "config-metrics-on": "Falco's own metrics snapshot is no rule's alert",
  "config-log-debug": "what Falco logs of system calls has no counterpart",
  "config-cli-T-arg": "-T still works here, as it did in Falco before 0.41",
  "config-cli-t-arg": "-t still works here, as it did in Falco before 0.41",
  "quote-051": "Falco's message ends at the NUL that the condition holds",
  "config-sel-bad": "a faulty entry is named by its key and place",
  "config-append-text-match-and": "Falco remarks on entries that name a rule and tags; the alerts are the same",
};

// The names of files in reports are the ones that were given: relative to the folder the command runs in.
const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "cli-run-"));
process.chdir(folder);
process.env.TZ = "UTC";
after(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const plugins = [
  { name: "k8saudit", library_path: "libk8saudit.so", open_params: "events.jsonl" },
  { name: "json", library_path: "libjson.so" },
];

const prepare = (probe: Probe): void => {
  for (const { name, yaml } of probe.files) writeFileSync(name, yaml);
  writeFileSync("events.jsonl", probe.events.map((n) => `${eventLines[n] ?? ""}\n`).join(""));
  const config = {
    json_output: true,
    rules_files: probe.files.map(({ name }) => name),
    plugins,
    load_plugins: ["k8saudit", "json"],
    ...probe.config,
  };
  writeFileSync("falco.yaml", JSON.stringify(config));
};

const falco = async (args: readonly string[]) => {
  let [out, err] = ["", ""];
  const code = await run(["-c", "falco.yaml", ...args], {
    env: { FALCO_HOSTNAME: "probe-host" },
    stdin: Readable.from([]),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    outputs: [],
    sources,
  });
  return { code, out, err };
};

/** Lines about events that were skipped, about sources that nothing feeds, and errors that Falco would not have got to, are the hub's own. */
const ofRules = (err: string): string =>
  (err.split(/^\d+ further errors:$/m)[0] ?? "")
    .split("\n")
    .filter((line) => !/^events\.jsonl:\d+: |^Nothing here feeds source /.test(line))
    .join("\n")
    .trimEnd();

/** Falco lists every kernel event under a macro; no names of kernel events are known here. */
const described = (out: string): unknown =>
  out === ""
    ? out
    : JSON.parse(out, (key, value) => (key === "events" && value.length > 2 ? ["asyncevent", "pluginevent"] : value));

const answerRun = async (probe: Probe, [exit, said]: Said): Promise<void> => {
  const { code, out, err } = await falco(["--enable-source", "k8s_audit", ...probe.args]);
  assert.equal(code, exit, `exit code\n${err}`);
  const lines = (probe.lines ?? []).map((line) => `${line}\n`).join("");
  if (probe.args.includes("-L")) assert.deepEqual(described(out), described(lines));
  else assert.equal(out, `${lines}${probe.summary ?? ""}`);
  assert.equal(ofRules(err), said);
};

const answerValidate = async (probe: Probe, json: boolean, [exit, said]: Said): Promise<void> => {
  const files = probe.files.flatMap(({ name }) => ["-V", name]);
  const { code, out, err } = await falco(["-o", `json_output=${json}`, ...files]);
  assert.equal(code, exit, err);
  if (!json) assert.equal(out, probe.text ?? "");
  else if (probe.report === null) assert.equal(out, "");
  else assert.deepEqual(JSON.parse(out).falco_load_results, probe.report);
  assert.equal(ofRules(err), said);
};

for (const group of new Set(probes.map((probe) => probe.group)))
  test(`run and run -V answer the probes of ${group} with the recorded output, errors and exit codes`, async (t) => {
    const own = probes.filter((probe) => probe.group === group);
    const failed: string[] = [];
    for (const probe of own) {
      const { run: ran, validate, text } = recorded.get(probe.name) ?? {};
      prepare(probe);
      try {
        if (validate) await answerValidate(probe, true, validate);
        if (text) await answerValidate(probe, false, text);
        if (ran) await answerRun(probe, ran);
        assert.ok(different[probe.name] === undefined, "known to differ, and does not");
      } catch (error) {
        if (different[probe.name] === undefined) failed.push(`${probe.name}: ${(error as Error).message}`);
      }
    }
    const known = own.filter((probe) => different[probe.name] !== undefined).length;
    t.diagnostic(`${group}: ${own.length - failed.length - known} as recorded, ${known} known to differ`);
    assert.deepEqual(failed, []);
  });
