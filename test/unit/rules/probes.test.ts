import assert from "node:assert/strict";
import test from "node:test";
import { jsonAlert, textAlert } from "../../../src/rules/alert/alert-text.ts";
import { parseMatching, parseThreshold } from "../../../src/rules/file/config.ts";
import type { RuleSet } from "../../../src/rules/index.ts";
import { jsonReport, textReport } from "../../../src/rules/report/report.ts";
import { createTally } from "../../../src/rules/report/summary.ts";
import { loadProbe, openProbeEvents, type Probe, probes } from "../../support/rule-probes.ts";

/** Probes that the engine does not answer as recorded, and why. */
const different: Readonly<Record<string, string>> = {
  "op-in-061": "ka.sourceips reads the event's sourceIPs here, in the plugin it never has a value",
  "output-103": "ka.sourceips reads the event's sourceIPs here, in the plugin it never has a value",
  "files-plugin-req-second": "what asks for plugins that are not here is taken on trust",
  "rulekeys-evttype-bad": "names of kernel events are not known here: rules of that source load and never match",
  "input-array-one-bad": "the audit source keeps the good elements of an array beside a bad one",
  "input-line-70k": "the audit source takes lines of any length up to the event limit",
  "config-metrics-on": "Falco's own metrics snapshot is no rule's alert",
};

/** Probes of the command line and of falco.yaml's own structure, which are not the rule engine's to answer. */
const isCommandLine = (probe: Probe): boolean =>
  probe.args.some((arg) => /^(?:-[TtSbeLsr]|--\w+)/.test(arg)) || probe.name === "config-sel-bad";

const runAlerts = (probe: Probe, set: RuleSet): { lines: string[]; summary: string } => {
  const tally = createTally(set.defined);
  const lines: string[] = [];
  const print = set.config.json_output ? jsonAlert : textAlert;
  for (const event of openProbeEvents(probe))
    for (const rule of set.match("k8s_audit", event)) {
      tally.count(rule);
      lines.push(print(rule, event, { timeNs: event.timeNs, offsetMinutes: 0, hostname: "probe-host" }, set.config));
    }
  return { lines, summary: tally.text() };
};

const answer = (probe: Probe, mode: "generated" | "closures"): void => {
  const set = loadProbe(probe, mode);
  if (probe.fatal !== null && probe.report === null) {
    assert.ok(
      probe.fatal.some((line) => line === `Error: ${set.unmet}`),
      `unmet: ${set.unmet}`,
    );
    return;
  }
  if (probe.report !== null)
    assert.deepEqual(
      JSON.parse(JSON.stringify(jsonReport(set.reports, { asFalco: true }).falco_load_results)),
      probe.report,
    );
  if (probe.text !== null) assert.equal(textReport(set.reports, { asFalco: true }), probe.text);
  if (set.ok && probe.lines !== null) {
    const { lines, summary } = runAlerts(probe, set);
    assert.deepEqual(lines, probe.lines);
    if (probe.summary) assert.equal(summary, probe.summary);
    if (set.matcher("k8s_audit") !== undefined) assert.equal(set.mode, mode);
  }
  if (!set.ok) assert.ok((probe.lines ?? []).length === 0);
};

const ofEngine = probes.filter((probe) => !isCommandLine(probe));
const ofConfig = new Set(["config-matching-bad", "config-priority-bogus"]);

for (const group of new Set(ofEngine.map((probe) => probe.group)))
  for (const mode of ["generated", "closures"] as const)
    test(`the recorded probes of ${group} get the recorded alerts, reports and summaries from ${mode}`, (t) => {
      const own = ofEngine.filter((probe) => probe.group === group && !ofConfig.has(probe.name));
      const failed: string[] = [];
      for (const probe of own) {
        if (different[probe.name] !== undefined) continue;
        try {
          answer(probe, mode);
        } catch (error) {
          failed.push(`${probe.name}: ${(error as Error).message}`);
        }
      }
      const known = own.filter((probe) => different[probe.name] !== undefined).length;
      t.diagnostic(`${group}: ${own.length - failed.length - known} as recorded, ${known} known to differ`);
      assert.deepEqual(failed, []);
    });

test("every probe that is known to differ exists and does differ", () => {
  for (const name of Object.keys(different)) {
    const probe = probes.find((each) => each.name === name);
    assert.ok(probe, name);
    assert.throws(() => answer(probe, "closures"), name);
  }
});

test("a priority or a matching strategy that does not exist is named in Falco's words", () => {
  for (const probe of probes.filter((each) => ofConfig.has(each.name))) {
    const { rule_matching: matching, priority } = probe.config;
    const result = priority === undefined ? parseMatching(String(matching)) : parseThreshold(String(priority));
    assert.ok(typeof result === "object");
    assert.deepEqual(probe.fatal, [`Error: ${result.fault}`]);
  }
});
