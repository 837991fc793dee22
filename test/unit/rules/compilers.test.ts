import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { splitPayload } from "../../../src/audit/payload.ts";
import { checkPattern, compilePattern } from "../../../src/rules/bind/regex.ts";
import { loadRules } from "../../../src/rules/index.ts";
import { openEvent } from "../../../src/sdk/json-event.ts";
import { auditCatalog, eventLines, loadProbe, openProbeEvents, probes } from "../../support/rule-probes.ts";
import { createRandom, mutate, randomCondition } from "../../support/rule-random.ts";

const rule = (name: string, condition: string): string =>
  `- rule: ${name}\n  desc: d\n  condition: ${JSON.stringify(condition)}\n  output: x\n  priority: INFO\n  source: k8s_audit\n`;

const events = eventLines
  .filter((line) => line.length < 20_000)
  .flatMap((line) => splitPayload(line, { maxEventBytes: 262144 }).events)
  .map((incoming, n) => openEvent(incoming, n + 1, 0));

const bothWays = (text: string, matching: "first" | "all") => {
  const load = (mode: "generated" | "closures") =>
    loadRules([{ name: "r.yaml", text }], {
      catalogs: [auditCatalog()],
      config: { rule_matching: matching },
      mode,
    });
  return { generated: load("generated"), closures: load("closures") };
};

test("generated code and closures agree on 10,000 generated conditions and every recorded event", () => {
  const random = createRandom(20260);
  let conditions = 0;
  for (let n = 0; n < 100; n++) {
    const text = Array.from({ length: 100 }, (_, i) => rule(`r${i}`, randomCondition(random))).join("");
    const { generated, closures } = bothWays(text, n % 4 === 0 ? "first" : "all");
    assert.deepEqual(
      closures.problems.filter((each) => each.severity === "error").map((each) => each.message),
      [],
    );
    conditions += generated.rules.length;
    assert.equal(generated.mode, "generated");
    for (const event of events) {
      const fast = generated.match("k8s_audit", event).map((each) => each.item.name);
      const slow = closures.match("k8s_audit", event).map((each) => each.item.name);
      assert.deepEqual(fast, slow);
    }
    const evaluated = generated.matcher("k8s_audit")?.evaluated;
    assert.deepEqual(evaluated, { generated: events.length, closures: 0 });
  }
  assert.equal(conditions, 10_000);
});

test("generated code and closures agree on every recorded rule and event, and the generated code ran", () => {
  let compared = 0;
  for (const probe of probes) {
    const generated = loadProbe(probe, "generated");
    const closures = loadProbe(probe, "closures");
    if (!generated.ok || generated.matcher("k8s_audit") === undefined) continue;
    assert.equal(generated.mode, "generated", probe.name);
    const own = openProbeEvents(probe);
    for (const event of own)
      assert.deepEqual(
        generated.match("k8s_audit", event).map((each) => each.item.name),
        closures.match("k8s_audit", event).map((each) => each.item.name),
        probe.name,
      );
    assert.equal(generated.matcher("k8s_audit")?.evaluated.generated, own.length);
    compared += own.length;
  }
  assert.ok(compared > 3000);
});

test("no text of a rule is part of the generated program", () => {
  const hostile = [
    '"];process.exit(1)//',
    "`$" + "{process.exit(1)}`",
    "</script>",
    "\u2028",
    "constructor",
    "__proto__",
  ];
  const text = hostile
    .map((word, n) =>
      rule(`r${n}`, `ka.verb = "${word.replaceAll('"', '\\"')}" or jevt.value[/${n}] contains "canary${n}"`),
    )
    .join("");
  const { generated } = bothWays(text, "all");
  assert.equal(generated.mode, "generated");
  for (const event of events) generated.match("k8s_audit", event);
  const code = generated.matcher("k8s_audit")?.code ?? "";
  assert.match(code, /includes/);
  assert.doesNotMatch(code, /canary|process|script|proto|constructor|\u2028|ka\.|jevt/);
  assert.deepEqual(
    [...new Set(code.match(/[A-Za-z_]\w*/g))].filter((word) => !/^[a-z]\d+$/.test(word)).sort(),
    [
      "Object",
      "Symbol",
      "const",
      "constants",
      "else",
      "event",
      "false",
      "found",
      "freeze",
      "given",
      "if",
      "includes",
      "let",
      "map",
      "none",
      "one",
      "push",
      "read",
      "return",
      "rule",
      "rules",
      "strict",
      "t",
      "undefined",
      "unread",
      "use",
    ]
      .filter((word) => word !== "given" || code.includes("given"))
      .filter((word) => code.includes(word)),
  );
});

test("rules for other verbs, resources and subresources are not looked at, whatever an event has or lacks", () => {
  const verbs = ["get", "create", "delete"];
  const resources = ["pods", "secrets", "nodes"];
  const conditions = verbs.flatMap((verb) =>
    resources.flatMap((resource) => [
      `ka.verb = ${verb} and ka.target.resource = ${resource} and (not ka.target.subresource exists or ka.target.subresource = "") and ka.user.name = a`,
      `ka.target.resource in (${resource}, jobs) and (ka.verb = ${verb} or ka.verb in (patch, update) and ka.user.name != b) and ka.target.subresource = scale`,
      `not ka.target.resource != ${resource} and ka.verb in (${verb}, watch) and ka.target.subresource exists and ka.user.name startswith a`,
      `not (ka.verb = ${verb} or ka.target.resource = ${resource}) and ka.target.subresource = log and ka.user.name exists`,
    ]),
  );
  const { generated, closures } = bothWays(conditions.map((text, n) => rule(`r${n}`, text)).join(""), "all");
  const given = (name: string, value: string | undefined) => (value === undefined ? {} : { [name]: value });
  const anything = [undefined, "", "odd"];
  let matched = 0;
  for (const verb of [...verbs, "patch", "watch", ...anything])
    for (const resource of [...resources, "jobs", ...anything])
      for (const subresource of ["scale", "log", ...anything])
        for (const username of ["a", "b", undefined]) {
          const objectRef = { ...given("resource", resource), ...given("subresource", subresource) };
          const body = {
            kind: "Event",
            auditID: "x",
            ...given("verb", verb),
            objectRef,
            user: given("username", username),
          };
          const text = JSON.stringify(body);
          const event = openEvent({ source: "k8s_audit", text }, 1, 0);
          const names = generated.match("k8s_audit", event).map((each) => each.item.name);
          assert.deepEqual(
            names,
            closures.match("k8s_audit", event).map((each) => each.item.name),
            text,
          );
          matched += names.length;
        }
  assert.ok(matched > 100);
  // Of thirty-six rules the longest program holds but some.
  const program = (generated.matcher("k8s_audit")?.code ?? "").split('"use strict";');
  const rulesIn = program.map((code) => code.match(/found=\[rules/g)?.length ?? 0);
  assert.ok(program.length > 3 && Math.max(...rulesIn) <= 18, rulesIn.join());
});

test("what choices leave of rules shares no program when only the fields that are read differ", () => {
  // Of each rule a get leaves one field, a list another, with the same operator and constant.
  const pairs: readonly (readonly [string, string])[] = [
    ["ka.user.name = a", "ka.target.name = a"],
    ["ka.user.name startswith a", "ka.target.name startswith a"],
    ["ka.user.name exists", "ka.target.name exists"],
    ["ka.user.groups intersects (a)", "ka.impuser.groups intersects (a)"],
    ["jevt.value[/user/username] in (a, b)", "jevt.value[/objectRef/name] in (a, b)"],
    ["tolower(ka.user.name) contains a", "tolower(ka.target.name) contains a"],
    ["ka.user.name = val(ka.target.namespace)", "ka.target.name = val(ka.target.namespace)"],
  ];
  const rules = pairs.flatMap(([one, other], n) => [
    rule(`r${n}`, `(ka.verb = get and ${one}) or (ka.verb = list and ${other})`),
    rule(`s${n}`, `(ka.verb = get and ${other}) or (ka.verb = list and ${one})`),
  ]);
  for (const text of [rules.join(""), rules.toReversed().join("")]) {
    const { generated, closures } = bothWays(text, "all");
    let matched = 0;
    for (const verb of ["get", "list", "watch"])
      for (const username of ["a", "c", undefined])
        for (const name of ["a", "c", undefined]) {
          const user = { username, groups: username === undefined ? [] : [username] };
          const impersonatedUser = { groups: name === undefined ? [] : [name] };
          const body = {
            kind: "Event",
            auditID: "x",
            verb,
            user,
            impersonatedUser,
            objectRef: { name, namespace: "a" },
          };
          const event = openEvent({ source: "k8s_audit", text: JSON.stringify(body) }, 1, 0);
          const found = generated.match("k8s_audit", event).map((each) => each.item.name);
          assert.deepEqual(
            found,
            closures.match("k8s_audit", event).map((each) => each.item.name),
            `${verb} ${username} ${name}`,
          );
          matched += found.length;
        }
    assert.ok(matched > 50);
    assert.ok((generated.matcher("k8s_audit")?.code ?? "").split('"use strict";').length > 2);
  }
});

test("searches whatever the case, and for one of several texts, find the same both ways", () => {
  const conditions = [
    'tolower(ka.user.name) contains "admin"',
    'tolower(ka.user.name) contains "Admin"',
    'tolower(ka.user.name) contains anyof ("Admin", "kube", "ä")',
    'tolower(ka.user.name) contains anyof ("Admin", "K")',
    "tolower(ka.user.name) contains anyof ()",
    'ka.user.name icontains "ADMIN"',
    'ka.user.name icontains "Ä"',
    'ka.user.name icontains "k"',
    'ka.user.name contains anyof ("a.b", "(", "[x", "|")',
    'ka.user.name contains anyof ("", "zz")',
    "ka.user.name contains anyof ()",
    'ka.user.name startswith anyof ("kube", "Ku", "ä", "A")',
    'ka.user.name startswith anyof ("", "zz")',
    "ka.user.name startswith anyof ()",
    "ka.user.groups intersects () or ka.user.name in ()",
    "not ka.user.groups in ()",
  ];
  const { generated, closures } = bothWays(conditions.map((text, n) => rule(`r${n}`, text)).join(""), "all");
  assert.deepEqual(
    closures.problems.filter(({ severity }) => severity === "error"),
    [],
  );
  // The Kelvin sign and the long s are no letters of ASCII, whatever they look like.
  const names = ["ADMIN", "kube-Admin", "K", "\u212a", "\u017f", "Ä", "ä", "a.b", "axb", "(", "x[x", "", undefined];
  let matched = 0;
  for (const username of names) {
    const text = JSON.stringify({ kind: "Event", auditID: "x", user: { username, groups: ["g"] } });
    const event = openEvent({ source: "k8s_audit", text }, 1, 0);
    const found = generated.match("k8s_audit", event).map((each) => each.item.name);
    assert.deepEqual(
      found,
      closures.match("k8s_audit", event).map((each) => each.item.name),
      username,
    );
    matched += found.length;
  }
  assert.ok(matched > 30);
});

test("where code generation is forbidden closures take over and say so", () => {
  const script = `
    import { loadRules } from "./src/rules/index.ts";
    import { auditCatalog } from "./test/support/rule-probes.ts";
    const set = loadRules([{ name: "r", text: ${JSON.stringify(rule("r", "ka.verb = get"))} }], { catalogs: [auditCatalog()] });
    process.stdout.write(set.mode + " " + set.ok);`;
  const flags = ["--disallow-code-generation-from-strings", "--input-type=module-typescript", "-e", script];
  const root = new URL("../../..", import.meta.url);
  assert.equal(execFileSync(process.execPath, flags, { cwd: root, encoding: "utf8" }), "closures true");
});

test("mutated rules files end in rules or problems, never in a crash", () => {
  const random = createRandom(7);
  const texts = probes.flatMap((probe) => probe.files.map((file) => file.yaml)).filter((yaml) => yaml.length < 3000);
  for (let n = 0; n < 20_000; n++) {
    const text = mutate(random, random.pick(texts), texts);
    const set = loadRules([{ name: "fuzz.yaml", text }], { catalogs: [auditCatalog()] });
    assert.equal(set.ok, set.unmet === undefined && !set.problems.some((each) => each.severity === "error"), text);
    for (const each of set.problems) assert.ok(each.snippet.length > 0 && each.line >= 0 && each.column >= 0);
  }
});

test("catastrophic regular expressions take time in proportion to the text", () => {
  const pattern = "(a+)+$(a|a)*(a|aa)+b";
  assert.equal(checkPattern(pattern), undefined);
  const compiled = compilePattern(pattern);
  assert.equal(compiled.matches(`${"a".repeat(20_000)}!`), false);
  assert.equal(compilePattern("(x*)*y").matches("x".repeat(20_000)), false);
});
