import assert from "node:assert/strict";
import { test } from "node:test";
import { testRules } from "../../../src/cli/test-rules.ts";
import { folderOf, rule, runWith } from "../../support/rules-command.ts";

const rules = rule("Get", "ka.verb = get") + rule("Alice", "ka.user.name = alice");

test("a test fails for a rule that does not fire, fires too often, or was not expected", async () => {
  const { dir, remove } = folderOf({
    "r.yaml": rules,
    "r.test.yaml": JSON.stringify([
      { name: "silent", events: [{ verb: "list" }], expect: ["Get"] },
      { name: "twice", events: [{ verb: "get" }, { verb: "get" }], expect: [{ rule: "Get", times: 1 }] },
      { name: "surprise", events: [{ verb: "get" }], expect: "none" },
      { name: "unknown", events: [{ verb: "get" }], expect: ["Get", "Gone"] },
      { name: "never", events: [{ verb: "list" }], expect: [{ rule: "Get", times: 0 }] },
    ]),
  });
  try {
    const { code, out } = await runWith(testRules, [dir]);
    assert.equal(code, 1);
    assert.equal(
      out,
      `not ok 1 - silent
  # "Get" did not fire
not ok 2 - twice
  # "Get" fired 2 times, expected once
not ok 3 - surprise
  # "Get" fired once, not expected
not ok 4 - unknown
  # "Gone" is no rule that is loaded and switched on
ok 5 - never
1..5
# 1 passed, 4 failed
`,
    );
  } finally {
    remove();
  }
});

test("rules and options come from the test, the file or the command line", async () => {
  const { dir, at, remove } = folderOf({
    "packs/r.yaml": rules,
    "tests/a.yaml": JSON.stringify({
      rules: ["../packs"],
      tests: [
        { name: "first", events: [{ verb: "get", user: { username: "alice" } }], expect: ["Get"] },
        {
          name: "all",
          options: { rule_matching: "all" },
          events: [{ verb: "get", user: { username: "alice" } }],
          expect: ["Get", "Alice"],
        },
      ],
    }),
    "other.yaml": rule("Alice", "ka.verb = get"),
  });
  try {
    assert.equal((await runWith(testRules, [at("tests")])).code, 0);
    assert.equal((await runWith(testRules, [at("tests/a.yaml"), "-o", "rules[].disable.rule=Get"])).code, 1);
    const { out } = await runWith(testRules, [dir, "-r", at("other.yaml")]);
    assert.match(out, /not ok 1 - first\n {2}# "Get" is no rule[^\n]*\n {2}# "Alice" fired once, not expected\n/);
  } finally {
    remove();
  }
});

test("rules that do not compile, events that are none and files that are missing fail the test with their reason", async () => {
  const { dir, remove } = folderOf({
    "r.yaml": rule("Bad", "ka.nosuch = 1"),
    "good/r.yaml": rules,
    "a.test.yaml": JSON.stringify([{ name: "bad rules", events: [], expect: "none" }]),
    "b.test.yaml": JSON.stringify({
      rules: "good",
      tests: [
        { name: "no such events", events: ["none.jsonl"], expect: "none" },
        { name: "no event", events: [{ kind: "Pod" }], expect: "none" },
      ],
    }),
    "c.test.yaml": JSON.stringify([{ name: "no such rules", rules: ["none.yaml"], events: [], expect: "none" }]),
  });
  try {
    const { code, out } = await runWith(testRules, [dir]);
    assert.equal(code, 1);
    assert.match(out, /not ok 1 - bad rules\n[\s\S]*nonexistent field ka\.nosuch\n/);
    assert.match(out, /not ok 2 - no such events\n {2}# events file .*none\.jsonl cannot be read\n/);
    assert.match(out, /not ok 3 - no event\n {2}# an event cannot be taken: data not recognized/);
    assert.match(out, /not ok 4 - no such rules\n {2}# rules file .*none\.yaml cannot be read\n/);
  } finally {
    remove();
  }
});

test("a folder without tests, and a test file that says nothing sensible, are failures of the command", async () => {
  const { at, remove } = folderOf({
    "empty/r.yaml": rules,
    "a.test.yaml": "tests: 1\n",
    "b.test.yaml": "- name: x\n  events: [{}]\n",
    "c.test.yaml": "- name: x\n  event: {}\n  expect: none\n",
    "d.test.yaml": "- {name: x\n",
  });
  try {
    const none = await runWith(testRules, [at("empty")]);
    assert.equal(none.code, 1);
    assert.match(none.err, /no tests found/);
    for (const [file, message] of [
      ["a.test.yaml", /tests must be a list/],
      ["b.test.yaml", /"x": expect is missing/],
      ["c.test.yaml", /"x": unknown key event/],
      ["d.test.yaml", /d\.test\.yaml: /],
    ] as const) {
      const { code, err } = await runWith(testRules, [at(file)]);
      assert.equal(code, 1);
      assert.match(err, message);
    }
    await assert.rejects(runWith(testRules, [at("nowhere")]), { name: "UsageError" });
    await assert.rejects(runWith(testRules, []), { name: "UsageError" });
  } finally {
    remove();
  }
});
