import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pino } from "pino";
import { outputs } from "../../../outputs/index.ts";
import { sources } from "../../../sources/index.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { createMetrics } from "../../../src/metrics/metrics.ts";
import { makeAlertSettings } from "../../../src/pipeline/alert-in.ts";
import { countIn } from "../../../src/pipeline/counts.ts";
import { type HubRules, openRules } from "../../../src/pipeline/judge/rules.ts";
import type { Incoming } from "../../../src/sdk/event.ts";
import { folderOf, rule } from "../../support/rules-command.ts";
import { auditEvent } from "../audit/support.ts";

const open = (options: readonly string[]) => {
  const { config, problems } = loadConfig({ env: {}, overrides: options, outputs, sources });
  assert.deepEqual(problems, []);
  const { settings } = makeAlertSettings(config, () => assert.fail("ids of these alerts are derived"));
  const metrics = createMetrics({ process: false, now: () => 0 });
  return openRules(config, { log: pino({ level: "silent" }), metrics, counts: countIn(metrics), settings });
};

const events = ["a", "b"].map((id) => ({ source: "k8s_audit", text: auditEvent({ verb: "get" }, id) }));

test("the same event gives the same alerts again: after a crash, in another chunk or hub, from the log in place of the webhook", async () => {
  const { at, remove } = folderOf({ "r.yaml": rule("One", "ka.verb = get") + rule("Two", "ka.verb = get") });
  const [rules, other] = [0, 1].map(
    () => open([`rules_files=${at("r.yaml")}`, "rule_matching=all"]) ?? assert.fail(),
  ) as [HubRules, HubRules];
  const idsOf = async (hub: HubRules, of: readonly Incoming[]) =>
    (await hub.stage.run({ id: "c2", at: 7 }, of)).map(({ uuid }) => uuid);
  try {
    const first = await rules.stage.run({ id: "chunk", at: 5 }, events);
    const ids = first.map(({ uuid }) => uuid);
    assert.equal(new Set(ids).size, 4);
    assert.deepEqual(await rules.stage.run({ id: "chunk", at: 5 }, events), first);
    assert.deepEqual(await idsOf(other, events), ids);
    assert.deepEqual(await idsOf(other, events.toReversed()), [...ids.slice(2), ...ids.slice(0, 2)]);
    const asInList = events.map(({ text, ...rest }) => ({ ...rest, text: text.replace('"kind":"Event",', "") }));
    assert.deepEqual(await idsOf(other, asInList), ids);
    for (const change of [
      { cluster: "eu" },
      { source: "other" },
      { text: auditEvent({ verb: "get", level: "Metadata" }, "a") },
      { text: auditEvent({ verb: "get", requestObject: { a: 1, kind: "Pod" } }, "a") },
    ])
      assert.ok(!(await idsOf(rules, [{ ...(events[0] as Incoming), ...change }])).some((id) => ids.includes(id)));
  } finally {
    rules.close();
    other.close();
    remove();
  }
});

test("json_include_* leave properties out of alerts where json_output is on, and customtags still come on top", async () => {
  const { at, remove } = folderOf({ "r.yaml": rule("One", "ka.verb = get", { tags: ["t"] }) });
  const off = ["output", "output_fields", "tags"].map((name) => `json_include_${name}_property=false`);
  const judged = async (json: boolean) => {
    const options = [`rules_files=${at("r.yaml")}`, ...off, `json_output=${json}`, "customtags=mine"];
    const rules = open(options) ?? assert.fail();
    const [alert] = await rules.stage.run({ id: "c", at: 0 }, events);
    rules.close();
    return alert ?? assert.fail();
  };
  try {
    const { output, output_fields, tags } = await judged(true);
    assert.deepEqual([output, { ...output_fields }, tags], ["", {}, ["mine"]]);
    const text = await judged(false);
    assert.notEqual(text.output, "");
    assert.deepEqual(text.tags, ["mine", "t"]);
  } finally {
    remove();
  }
});

test("without rules_files and without a source of audit events there are no rules; files that are missing stop the start where events may come", () => {
  const missing = "rules_files=/nowhere/rules.yaml";
  const listen = "k8saudit.listen=http://127.0.0.1:0/k8s-audit";
  assert.equal(open([]), undefined);
  assert.equal(open([missing]), undefined);
  assert.throws(() => open([missing, listen]), /the rules have errors/);
  assert.throws(() => open([missing, "role=worker", "queue.redis.url=redis://127.0.0.1/0"]), /the rules have errors/);
});

const unused = Array.from({ length: 7 }, (_, n) => `- macro: m${n}\n  condition: ka.verb exists\n`).join("");
const typos = ["a", "b"]
  .map((name) => rule(name, `proc.nmae = ${name}`, { source: "syscall", output: "%proc.nmae" }))
  .join("");

test("rules for what nobody feeds do not stop the hub: a warning for each source, and they do not count as active", async () => {
  const kernel = readFileSync(new URL("../../support/rules-kernel.yaml", import.meta.url), "utf8");
  const { at, remove } = folderOf({ "kernel.yaml": kernel + typos, "own.yaml": rule("One", "ka.verb = get") + unused });
  const { config } = loadConfig({
    env: {},
    overrides: [`rules_files=[${at("kernel.yaml")}, ${at("own.yaml")}]`],
    outputs,
    sources,
  });
  const { settings } = makeAlertSettings(config, () => assert.fail("ids of these alerts are derived"));
  const metrics = createMetrics({ process: false, now: () => 0 });
  const lines: { level: number; msg: string }[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const rules = openRules(config, { log, metrics, counts: countIn(metrics), settings }) ?? assert.fail();
  try {
    const warnings = lines
      .filter(({ level }) => level >= 40)
      .map(({ msg }) => msg.replaceAll(/\S+\.yaml(?::\d+:\d+)?/g, "FILE"));
    assert.deepEqual(warnings, [
      "rules_files: nothing here feeds source syscall: the rules for it (8) load and never match",
      "rules_files: nothing here feeds source aws_cloudtrail: the rules for it (2) load and never match",
      "rules_files: nothing here feeds source okta: the rules for it (1) load and never match",
      "FILE: rules_files: used by no rule: m0, m1, m2, m3, m4 and 2 more",
      "FILE: LOAD_DEPRECATED_ITEM: 'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under 'override' instead.",
      "FILE: LOAD_UNKNOWN_FILTER: no field proc.nmae of source syscall is known: taken on trust",
    ]);
    assert.match(await metrics.expose(), /^eyrie_rules_active 1$/m);
    assert.deepEqual(
      (await rules.stage.run({ id: "c", at: 0 }, events)).map((alert) => alert.rule),
      ["One", "One"],
    );
  } finally {
    rules.close();
    remove();
  }
});

test("an event that the rules fail on holds up nothing, is counted, and fills no log", async () => {
  const { at, remove } = folderOf({ "r.yaml": rule("One", "ka.verb = get") });
  const { config } = loadConfig({ env: {}, overrides: [`rules_files=${at("r.yaml")}`], outputs, sources });
  const { settings } = makeAlertSettings(config, () => assert.fail("ids of these alerts are derived"));
  const metrics = createMetrics({ process: false, now: () => 0 });
  const lines: string[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => lines.push(line) });
  const rules = openRules(config, { log, metrics, counts: countIn(metrics), settings }) ?? assert.fail();
  const broken: Incoming = {
    source: "k8s_audit",
    text: "",
    get timeNs(): string {
      throw new RangeError("of the test");
    },
  };
  try {
    const judged = await rules.stage.run({ id: "c", at: 0 }, [
      ...Array.from({ length: 1000 }, () => broken),
      ...events,
    ]);
    assert.equal(judged.length, 2);
    assert.match(await metrics.expose(), /^eyrie_events_not_judged_total 1000$/m);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /RangeError.*an event was not judged/);
  } finally {
    rules.close();
    remove();
  }
});
