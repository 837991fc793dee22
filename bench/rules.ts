/**
 * What the default rules cost: audit log in, JSON alerts out, as a multiple of JSON.parse of the same lines in the same run.
 *
 *   node bench/rules.ts [--log audit.log.jsonl] [--events 50000] [--runs 5] [--matching first|all]
 *
 * Without a log: the events of a recorded kube-apiserver (test/golden/k8saudit/kube-posts). The log is read again and again
 * until the number of events is reached.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { auditFields } from "../src/audit/catalog.ts";
import { createLineCutter } from "../src/audit/lines.ts";
import { splitPayload } from "../src/audit/payload.ts";
import { evtFields } from "../src/fields/evt.ts";
import { jsonFields } from "../src/fields/json.ts";
import { parseMatching } from "../src/rules/file/config.ts";
import { jsonAlert, loadRules, type Mode, type RuleSet } from "../src/rules/index.ts";
import { catalogOf } from "../src/sdk/catalog.ts";
import { type JsonEvent, openEvent } from "../src/sdk/json-event.ts";
import { recordedLines } from "./recorded-posts.ts";

const { values: options } = parseArgs({
  options: {
    log: { type: "string" },
    events: { type: "string", default: "50000" },
    runs: { type: "string", default: "5" },
    matching: { type: "string", default: "first" },
  },
});
const matching = parseMatching(options.matching);
if (typeof matching === "object") throw new Error(matching.fault);

const here = import.meta.dirname;
const limits = { maxEventBytes: 1 << 30 };

const recorded = (): Buffer => Buffer.from(`${recordedLines().join("\n")}\n`);

const log = options.log === undefined ? recorded() : readFileSync(options.log);
const texts = log
  .toString()
  .split("\n")
  .filter((line) => line !== "");
const rounds = Math.max(1, Math.ceil(Number(options.events) / texts.length));

const catalog = catalogOf<JsonEvent>("k8s_audit", [
  ...evtFields<JsonEvent>({ pluginName: "k8saudit", offsetMinutes: () => 0 }),
  ...jsonFields,
  ...auditFields.fields.values(),
]);
const pack = readFileSync(join(here, "../rules/k8s_audit_rules.yaml"), "utf8");
const load = (mode: Mode): RuleSet =>
  loadRules([{ name: "k8s_audit_rules.yaml", text: pack }], {
    catalogs: [catalog],
    config: { rule_matching: matching },
    mode,
  });
const generated = load("generated");
const closures = load("closures");

const chunkBytes = 64 * 1024;

/** As a file is followed: chunks, lines, events. */
const readLog = (take: (event: JsonEvent) => void): void => {
  const cutter = createLineCutter();
  let num = 0;
  for (let at = 0; at < log.length; at += chunkBytes)
    for (const line of cutter.push(log.subarray(at, at + chunkBytes)))
      for (const incoming of splitPayload(line.toString(), limits).events) take(openEvent(incoming, ++num, 0));
};

const evaluate = (rules: RuleSet) => (): void => readLog((event) => void rules.match("k8s_audit", event));

const folder = mkdtempSync(join(tmpdir(), "eyrie-bench-"));
const file = openSync(join(folder, "alerts.jsonl"), "w");

let alerts = 0;
const writeAlerts = (): void => {
  let lines: string[] = [];
  let written = 0;
  readLog((event) => {
    for (const rule of generated.match("k8s_audit", event)) {
      const facts = { timeNs: event.timeNs, offsetMinutes: 0, hostname: "bench" };
      alerts++;
      if (lines.push(jsonAlert(rule, event, facts, generated.config)) === 256) flush();
    }
  });
  function flush() {
    lines.push("");
    written += writeSync(file, lines.join("\n"), written);
    lines = [];
  }
  flush();
};

const cases: Readonly<Record<string, () => void>> = {
  "JSON.parse": () => {
    for (const text of texts) JSON.parse(text);
  },
  "lines to events": () => readLog(() => {}),
  "with the rules as closures": evaluate(closures),
  "with the rules as generated code": evaluate(generated),
  "and JSON alerts into a file": writeAlerts,
};

const cpuSeconds = (work: () => void): number => {
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};

const measure = (): void => {
  const best = new Map<string, number>();
  for (let run = 0; run < Number(options.runs); run++)
    for (const [name, work] of Object.entries(cases))
      best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, cpuSeconds(work)));
  const events = texts.length * rounds;
  const base = best.get("JSON.parse") ?? Number.NaN;
  const perRun = Math.round(alerts / Number(options.runs));
  console.log(`${events} events, ${Math.round(log.length / texts.length)} bytes each on average, ${perRun} alerts\n`);
  console.log("events per CPU second   times JSON.parse");
  for (const [name, seconds] of best) {
    const speed = Math.round(events / seconds).toLocaleString("en");
    console.log(`${speed.padStart(21)}   ${(seconds / base).toFixed(2).padStart(16)}   ${name}`);
  }
};

try {
  measure();
} finally {
  closeSync(file);
  rmSync(folder, { recursive: true });
}
