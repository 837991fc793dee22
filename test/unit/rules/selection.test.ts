import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import test from "node:test";
import { sources } from "../../../sources/index.ts";
import { run } from "../../../src/cli/run.ts";
import { loadFalco } from "../../../src/config/falco-file.ts";
import { loadEventRules } from "../../../src/pipeline/judge/event-rules.ts";
import { kindsOf } from "../../../src/pipeline/judge/kinds.ts";
import { defaultRuleConfig } from "../../../src/rules/file/config.ts";
import { folderOf, rule, runWith } from "../../support/rules-command.ts";

const kinds = kindsOf(sources);

const names = ["Create HostNetwork Pod", "Create Privileged Pod", "Pod in kube-system", "the shell", "a*b"];
const text = names.map((name) => rule(name, "ka.verb exists", { tags: [name.slice(0, 3)] })).join("");

const read = (...overrides: readonly string[]) => loadFalco({ sources, env: {}, overrides });

const active = (...overrides: readonly string[]): readonly string[] => {
  const { config, problems } = read(...overrides);
  assert.deepEqual(problems, []);
  const { set } = loadEventRules([{ name: "r", text }], { config, hostname: "", kinds });
  return set.rules.map(({ item }) => item.name);
};

const disabledBy = (pattern: string): readonly string[] => {
  const left = active(`rules[].disable.rule=${pattern}`);
  return names.filter((name) => !left.includes(name));
};

test("`*` may stand anywhere in a rule's name, several times, and stands for the first place that goes on", () => {
  const expected: Readonly<Record<string, readonly string[]>> = {
    "Create*": names.slice(0, 2),
    "*Pod": names.slice(0, 2),
    "Create*Pod": names.slice(0, 2),
    "*Pod*": names.slice(0, 3),
    "*e* P*": names.slice(0, 2),
    "*Host*Pod": names.slice(0, 1),
    "*hell": ["the shell"],
    "*hel*": ["the shell"],
    "th*ell": ["the shell"],
    "**": names,
    "a*b": ["a*b"],
    "*l": [],
    Pod: [],
    "create*": [],
    "*Pod*Pod": [],
  };
  for (const [pattern, found] of Object.entries(expected)) assert.deepEqual(disabledBy(pattern), found, pattern);
});

test("in one entry `enable` goes before `disable`, and an empty rule beside a tag chooses nothing", () => {
  const both = read("rules[].enable.rule=a", "rules[0].disable.rule=*");
  assert.deepEqual(both.problems, []);
  assert.deepEqual(both.config.rules, [{ enable: true, rule: "a" }]);
  assert.deepEqual(active("rules[].disable.tag=the", "rules[0].disable.rule="), names.toSpliced(3, 1));
});

test("an entry of `rules` that chooses nothing is an error with its place", () => {
  const { at, write, remove } = folderOf({});
  try {
    for (const entry of [
      "disable: {rule: ''}",
      "disable: {rule: '', tag: ''}",
      "enable: {}",
      "enable:",
      "enable: all",
      "enable: {name: x}",
      "enable: {rule: ~}\n  disable: {rule: x}",
      "{}",
      "rule: x",
    ]) {
      write("falco.yaml", `rules:\n- ${entry}\n`);
      const { problems, config } = loadFalco({ file: at("falco.yaml"), sources, env: {}, overrides: [] });
      assert.deepEqual(config.rules, [], entry);
      assert.match(problems[0]?.message ?? "", /must be `enable` or `disable` with a `rule` or a `tag`/, entry);
      assert.equal(problems[0]?.line, 2, entry);
    }
  } finally {
    remove();
  }
});

test("rule_matching is taken in letters of any case", async () => {
  const two = rule("One", "ka.verb exists") + rule("Two", "ka.verb exists");
  const event = { kind: "Event", auditID: "1", verb: "get", stageTimestamp: "2026-01-02T03:04:05Z" };
  const { at, write, remove } = folderOf({ "r.yaml": two, "e.jsonl": JSON.stringify(event) });
  try {
    for (const [matching, alerts] of [
      ["all", 2],
      ["ALL", 2],
      ["All", 2],
      ["FIRST", 1],
      ["First", 1],
    ] as const) {
      writeFileSync(write("falco.yaml", ""), `rule_matching: ${matching}\n`);
      const { code, out } = await runWith(run, ["-c", at("falco.yaml"), "-r", at("r.yaml"), at("e.jsonl")]);
      assert.equal(code, 0);
      assert.match(out, new RegExp(`Events detected: ${alerts}\n`), matching);
    }
    assert.match(read("rule_matching=some").problems[0]?.message ?? "", /^Unknown rule matching strategy "some"/);
  } finally {
    remove();
  }
});

const changeOf = (more: Readonly<Record<string, unknown>>): string => `- ${JSON.stringify({ rule: "R", ...more })}\n`;
const changes: readonly Readonly<Record<string, unknown>>[] = [
  { append: true, condition: "and ka.verb = get" },
  { override: { condition: "append" }, condition: "and ka.verb = get" },
  { override: { condition: "replace" }, condition: "ka.verb = get" },
  { override: { enabled: "replace" }, enabled: false },
];

test("a change to a rule that names another source than the rule's is refused in the engine's words", () => {
  const load = (...texts: readonly string[]) =>
    loadEventRules([{ name: "r", text: texts.join("") }], { config: defaultRuleConfig, hostname: "", kinds }).set;
  const base = rule("R", "ka.verb exists");
  for (const change of changes) {
    for (const source of ["syscall", "nosuch", "K8S_AUDIT"]) {
      const set = load(base, changeOf({ ...change, source }));
      const [problem] = set.problems.filter(({ severity }) => severity === "error");
      assert.equal(problem?.code, "LOAD_ERR_VALIDATE");
      assert.equal(problem?.message, "Rule has been re-defined with a different source");
      assert.equal(problem?.line, 1);
    }
    assert.ok(load(base, changeOf({ ...change, source: "k8s_audit" })).ok);
    assert.ok(load(base, changeOf(change)).ok);
  }
  const other = rule("R", "x.y = z", { source: "nosuch" });
  assert.ok(load(other, changeOf({ ...changes[0], source: "nosuch" })).ok);
  assert.ok(!load(other, changeOf({ ...changes[0], source: "k8s_audit" })).ok);
});
