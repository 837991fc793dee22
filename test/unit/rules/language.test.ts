import assert from "node:assert/strict";
import test from "node:test";
import { defaultRuleConfig } from "../../../src/rules/file/config.ts";
import { compileCondition, formatAlert, loadRules } from "../../../src/rules/index.ts";
import { rawEvent } from "../../../src/sdk/alert.ts";
import { catalogOf, type Field } from "../../../src/sdk/catalog.ts";

interface Sample {
  readonly text?: string;
  readonly list?: readonly string[];
  readonly num?: number | bigint;
}

const field = (name: string, type: Field<Sample>["type"], list: boolean, get: Field<Sample>["get"]): Field<Sample> => ({
  name,
  type,
  list,
  about: "",
  get,
});
const catalog = catalogOf<Sample>("sample", [
  field("s.text", "string", false, (e) => e.text),
  field("s.list", "string", true, (e) => (e.list?.length ? e.list : undefined)),
  field("s.num", "number", false, (e) => e.num),
]);

const holds = (condition: string, event: Sample): boolean => {
  const compiled = compileCondition(condition, catalog);
  if (!compiled.ok) throw new Error(compiled.message);
  return compiled.test(event);
};

const complaint = (condition: string): string => {
  const compiled = compileCondition(condition, catalog);
  assert.ok(!compiled.ok, condition);
  return compiled.message;
};

test("getopt finds options, their values and what it does not know", () => {
  const event = { list: ["-ab", "v", "--long", "-cx", "-z", "plain", "-a"] };
  assert.ok(holds('getopt(s.list, "ab:c:") intersects ("?")', event));
  assert.ok(holds('join(" ", getopt(s.list, "ab:c:")) = "a b v c x ?"', event));
  assert.ok(holds('getopt(s.list, "ab:c:")[b] = v', event));
  assert.ok(holds('getopt(s.list, "ab:c:")[a] = a', event));
  assert.ok(!holds('getopt(s.list, "ab:c:")[d] exists', event));
  assert.ok(holds('getopt(("-b"), ":b:")[b] = ":"', event));
});

test("an empty argument list joins to nothing, and a nested list is refused", () => {
  assert.ok(holds('join("-", ()) = ""', {}));
  assert.equal(
    complaint('join("-", (("a"))) = a'),
    "expected transformer list argument: field, transformer, quoted string, or number",
  );
  assert.equal(complaint('join("-", s.list, s.list) = a'), "join() requires exactly 2 arguments: separator and list");
});

test("what concat makes is a member of a set, what tolower makes on the right is not", () => {
  assert.ok(holds('s.text in concat("a", "b")', { text: "ab" }));
  assert.ok(!holds("s.text in tolower(s.text)", { text: "ab" }));
  assert.ok(holds("s.text = tolower(s.text)", { text: "ab" }));
});

test("numbers beyond a double compare exactly", () => {
  const num = 1714979281123456001n;
  assert.ok(holds("s.num = 1714979281123456001", { num }));
  assert.ok(!holds("s.num = 1714979281123456000", { num }));
  assert.ok(holds("s.num in (1, 1714979281123456001)", { num }));
  assert.ok(holds("s.num < 18446744073709551616", { num }));
  assert.ok(holds("s.num = 01", { num: 1 }));
});

test("text compares by its bytes, not by UTF-16 units", () => {
  assert.ok(holds("s.text > val(s.text) or s.text <= val(s.text)", { text: "\u{1f600}" }));
  assert.ok(holds("len(s.text) = 4", { text: "\u{1f600}" }));
  assert.ok(holds("s.text glob ????", { text: "\u{1f600}" }));
});

test("a condition that is wrong says where", () => {
  const compiled = compileCondition("s.text = a and\n  s.nosuch = b", catalog);
  assert.ok(!compiled.ok);
  assert.deepEqual({ line: compiled.line, column: compiled.column }, { line: 2, column: 3 });
});

const rules = (...conditions: string[]): string =>
  conditions
    .map(
      (condition, n) =>
        `- rule: r${n}\n  desc: d\n  condition: ${condition}\n  output: t=%s.text n=%s.num\n  priority: INFO\n  source: sample\n`,
    )
    .join("");

test("all problems of all files are reported at once, each with its place and a caret", () => {
  const set = loadRules(
    [
      { name: "a.yaml", text: rules("s.text = a", "s.nosuch = 1", "s.list = a") },
      { name: "b.yaml", text: `- macro: m\n  condition: s.text =\n${rules("m or s.text exists").replace("r0", "r9")}` },
    ],
    { catalogs: [catalog] },
  );
  assert.equal(set.ok, false);
  assert.deepEqual(
    set.problems.filter((each) => each.severity === "error").map((each) => [each.file, each.line, each.code]),
    [
      ["a.yaml", 8, "LOAD_ERR_COMPILE_CONDITION"],
      ["a.yaml", 14, "LOAD_ERR_COMPILE_CONDITION"],
      ["b.yaml", 1, "LOAD_ERR_COMPILE_CONDITION"],
    ],
  );
  for (const each of set.problems) assert.match(each.snippet, /\n *\^\n$/);
});

test("a rule that fails leaves the others of its file standing for whoever looks, and the set not fit for use", () => {
  const set = loadRules([{ name: "a", text: rules("s.text = a", "(((") }], { catalogs: [catalog] });
  assert.equal(set.ok, false);
  assert.deepEqual(
    set.rules.map((rule) => rule.item.name),
    ["r0"],
  );
});

test("conditions that grow without end through lists or macros are problems, not crashes", () => {
  const lists = Array.from(
    { length: 30 },
    (_, n) => `- list: l${29 - n}\n  items: [l${30 - n}, l${30 - n}, l${30 - n}]\n`,
  );
  const macros = Array.from({ length: 24 }, (_, n) => `- macro: m${n + 1}\n  condition: m${n} and m${n} or m${n}\n`);
  const growing = `${lists.toReversed().join("")}- macro: m0\n  condition: s.text = a\n${macros.join("")}`;
  const set = loadRules([{ name: "a", text: growing + rules("m24", "s.text in (l0)") }], { catalogs: [catalog] });
  assert.equal(set.ok, false);
});

test("text that is no YAML is refused in yaml-cpp's words, at its place", () => {
  const faults: readonly (readonly [string, string])[] = [
    ["- rule: r\n desc: d\n", "line 2, column 2: end of sequence not found"],
    ["- rule: r\n  desc d\n  output: x\n", "line 2, column 3: end of map not found"],
    ["- list: l\n  items: [a, {b: c\n", "line 3, column 1: end of map flow not found"],
    ["- rule: r\n   desc: d\n", "line 2, column 8: illegal map value"],
    ['- rule: "\\q"\n', "line 1, column 12: unknown escape character: q"],
    ["]\n", "line 1, column 1: illegal flow end"],
    ["a: - b\n", "line 1, column 4: illegal block entry"],
  ];
  for (const [text, message] of faults) {
    const set = loadRules([{ name: "a", text }], { catalogs: [catalog] });
    assert.deepEqual(
      set.problems.map((each) => each.message),
      [`yaml-cpp: error at ${message}`],
      text,
    );
  }
});

test("nesting without end is a problem, not a crash", () => {
  const texts = [
    "[".repeat(50_000),
    "- ".repeat(20_000),
    rules(`${"(".repeat(5000)}s.text exists`),
    rules(`s.text regex '${"(".repeat(5000)}${")".repeat(5000)}'`),
    rules(`s.text regex '((a{1,1000}){1,1000}){1,1000}'`),
  ];
  for (const text of texts) assert.equal(loadRules([{ name: "a", text }], { catalogs: [catalog] }).ok, false);
});

test("a match becomes the alert that Falco would have sent", () => {
  const set = loadRules([{ name: "a", text: rules("s.text exists") }], { catalogs: [catalog] });
  const event: Sample = { text: "é", num: 12345678901234567890n };
  const [rule] = set.match("sample", event);
  assert.ok(rule);
  const facts = { timeNs: 1714979281500000000n, offsetMinutes: 120, hostname: "h" };
  const alert = formatAlert(rule, event, facts, defaultRuleConfig, "u");
  assert.equal(
    rawEvent(alert),
    '{"uuid":"u","output":"09:08:01.500000000: Informational t=é n=12345678901234567890","priority":"Informational",' +
      '"rule":"r0","time":"2024-05-06T07:08:01.5Z","output_fields":{"evt.time":1714979281500000000,' +
      '"s.num":12345678901234567890,"s.text":"é"},"source":"sample","hostname":"h"}',
  );
});
