import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { sources } from "../../../sources/index.ts";
import { loadEventRules } from "../../../src/pipeline/judge/event-rules.ts";
import { kindsOf } from "../../../src/pipeline/judge/kinds.ts";
import { defaultRuleConfig } from "../../../src/rules/file/config.ts";
import type { RuleProblem, RuleSet } from "../../../src/rules/index.ts";
import { openObject, packText } from "../../support/rules-pack.ts";

const kinds = kindsOf(sources);

const kernelText = readFileSync(new URL("../../support/rules-kernel.yaml", import.meta.url), "utf8");

const load = (...texts: readonly string[]) =>
  loadEventRules(
    texts.map((text, n) => ({ name: `${n}.yaml`, text })),
    { config: { ...defaultRuleConfig, rule_matching: "all" }, hostname: "h", kinds },
  );

const errors = ({ problems }: RuleSet): readonly RuleProblem[] => problems.filter((each) => each.severity === "error");
const messages = (problems: readonly RuleProblem[]): readonly string[] => problems.map((each) => each.message);

const rule = (condition: string, output = "%proc.name", source = "syscall"): string =>
  `- ${JSON.stringify({ rule: `r ${condition}`, desc: "d", condition, output, priority: "INFO", source })}\n`;

const auditRule = rule("ka.verb exists", "%ka.verb", "k8s_audit");
const event = openObject({
  kind: "Event",
  auditID: "1",
  verb: "get",
  stage: "ResponseComplete",
  stageTimestamp: "2026-01-02T03:04:05.000000Z",
});

test("rules for kernel events and other plugins load beside audit rules, in any order, and never match", () => {
  for (const texts of [
    [kernelText, packText, auditRule],
    [auditRule, packText, kernelText],
  ]) {
    const { set, match } = load(...texts);
    assert.deepEqual(messages(errors(set)), []);
    assert.equal(set.unmet, undefined);
    assert.ok(set.ok);
    assert.deepEqual(
      set.problems.filter(({ code }) => code === "LOAD_UNKNOWN_FILTER"),
      [],
      "every field of the file is known",
    );
    assert.deepEqual([...set.unfed.keys()].sort(), ["aws_cloudtrail", "okta", "syscall"]);
    assert.deepEqual(set.unfed.get("aws_cloudtrail"), ["Trail", "Trail Two"]);
    assert.ok(match(event).some(({ item }) => item.condition === "ka.verb exists"));
    assert.equal(set.matcher("syscall"), undefined);
    assert.deepEqual(set.match("syscall", {}), []);
  }
});

const fields = ["proc.name", "evt.arg[0]", "evt.arg[name]", "evt.rawarg.res", "fd.net", "proc.aname[2]", "krsi.some"];
const rights = {
  "": ["exists"],
  "1": ["<", "<=", ">", ">="],
  cafe: "= == != contains icontains bcontains startswith bstartswith endswith glob iglob regex".split(" "),
  "(cafe, '10.0.0.0/8')": ["in", "intersects", "pmatch", "= anyof", "startswith oneof", "contains allof"],
  "val(fd.num)": ["=", "<", "contains", "in"],
  "tolower(proc.args)": ["=", "!=", "startswith"],
};
const lefts = [
  ...fields,
  "tolower(proc.args)",
  "basename(proc.exepath)",
  'join(",", proc.args)',
  'getopt(proc.args, "a:")[a]',
];

test("every operator is taken for a field that is taken on trust, with and without transformers", () => {
  const conditions = lefts.flatMap((left) =>
    Object.entries(rights).flatMap(([right, operators]) =>
      operators
        .filter((operator) => fields.includes(left) || /^(?:=|!=|startswith|contains|exists|in)$/.test(operator))
        .map((operator) => `${left} ${operator} ${right}`),
    ),
  );
  assert.ok(conditions.length > 250);
  const { set } = load(conditions.map((condition) => rule(condition)).join(""));
  assert.deepEqual(messages(errors(set)), []);
});

test("what is wrong with a condition whatever the field is refused for kernel events, too", () => {
  const faults: readonly (readonly [string, RegExp])[] = [
    ["proc.name is bash", /expected a valid check operator/],
    ["proc.name = bash && evt.type = open", /unexpected token/],
    ["proc.name = bash AND evt.type = open", /unexpected token/],
    ["proc.name in (a, b", /expected a '\)' token/],
    ["evt.buffer bcontains xyz", /hex strings only/],
    ["evt.buffer bstartswith abc", /hex strings only/],
    ["proc.name regex '('", /invalid regex pattern/],
    ["proc.num > many", /expected a number value/],
    ["len(proc.name) = many", /not a valid number/],
    ["proc.aname[2 = x", /expected a '\]' token/],
    ["no_such_macro", /Undefined macro/],
    ["upper(proc.name) = x", /Undefined macro|unexpected token/],
    ["ka.verb = get", /nonexistent field ka.verb/],
    ["jevt.value[/verb] = get", /nonexistent field jevt.value/],
  ];
  for (const [condition, expected] of faults) {
    const { set } = load(rule(condition));
    assert.equal(set.ok, false, condition);
    assert.match(errors(set)[0]?.message ?? "", expected, condition);
  }
  assert.match(errors(load(rule("proc.name = x", "%ka.verb")).set)[0]?.message ?? "", /unknown filter/);
});

test("a name that no kernel field has is taken on trust with a warning; a longer one in an output is cut, as in Falco", () => {
  const condition = "proc.nmae = x and proc.nmae = y and porc.name = z and fd.name = val(fd.nmae) and evt.argh exists";
  const { set } = load(rule(condition, "%proc.name.txt %fd.ipp %k8s.ns.nam"));
  assert.ok(set.ok);
  const doubts = set.problems.filter(({ code }) => code === "LOAD_UNKNOWN_FILTER");
  assert.deepEqual(
    doubts.map(({ message }) => /no field (\S+) of source syscall is known/.exec(message)?.[1]),
    ["proc.nmae", "porc.name", "fd.nmae", "evt.argh", "k8s.ns.nam"],
  );
  const [compiled] = set.defined;
  assert.deepEqual(
    compiled?.output.fields.map(({ title }) => title),
    ["proc.name", "fd.ip", "k8s.ns.nam"],
  );
});

test("fields that the configuration adds are known to rules for kernel events, too", () => {
  const config = { ...defaultRuleConfig, static_fields: { site: "x" } };
  const text = rule("proc.name = x and static.site = x and static.other = x", "%static.site");
  const { set } = loadEventRules([{ name: "r", text }], { config, hostname: "", kinds });
  assert.ok(set.ok);
  assert.deepEqual(messages(set.problems), ["no field static.other of source syscall is known: taken on trust"]);
});

const requiring = (...alternatives: readonly (readonly [string, string])[]) => {
  const [[name, version] = ["", ""], ...others] = alternatives;
  const required = { name, version, alternatives: others.map(([n, v]) => ({ name: n, version: v })) };
  const { set } = load(`- ${JSON.stringify({ required_plugin_versions: [required] })}\n${auditRule}`);
  assert.equal(set.ok, set.unmet === undefined);
  return set.unmet;
};

test("plugins that are not here are taken on trust, those that are must be new enough, and one alternative will do", () => {
  for (const name of ["container", "k8smeta", "cloudtrail", "okta", "github", "gcpaudit", "krsi", "dummy", "my-own"])
    assert.equal(requiring([name, "99.1.2"]), undefined, name);
  assert.equal(requiring(["container", "0.4.0"], ["other", "1.0.0"]), undefined);
  assert.equal(requiring(["k8saudit", "0.7.0"], ["k8saudit-eks", "0.4.0"]), undefined);
  assert.equal(requiring(["k8saudit", "99.0.0"], ["k8saudit-eks", "0.4.0"]), undefined);
  assert.match(
    requiring(["k8saudit", "99.0.0"]) ?? "",
    /^Plugin 'k8saudit' version '.*' is not compatible with .* '99/,
  );
  assert.match(requiring(["json", "0.99.0"], ["container", "0.1.0"]) ?? "", /^Plugin 'json' version/);
  assert.match(
    messages(errors(load("- required_plugin_versions: [{name: container, version: new}]\n").set))[0] ?? "",
    /Invalid required version 'new' for plugin 'container'/,
  );
});
