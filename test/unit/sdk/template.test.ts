import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseJson } from "../../../src/json/parse.ts";
import type { Alert } from "../../../src/sdk/alert.ts";
import { compileMessage, messageData, renderMessage } from "../../../src/sdk/template/message.ts";
import { compileTemplate, TemplateError, type Value } from "../../../src/sdk/template/template.ts";

interface Case {
  readonly root: "fields" | "event";
  readonly template: string;
  readonly text?: string;
  readonly fails?: "parse" | "run";
}

const here = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const data = parseJson(here("../../../scripts/template-oracle/data.json")) as {
  time: string;
  output_fields: Alert["output_fields"];
};
const alert: Alert = {
  uuid: "7e5b6d0e-0000-4000-8000-000000000001",
  output: "10:20:30.1: Warning Shell (user=root)",
  priority: "Warning",
  rule: "Terminal shell",
  time: data.time,
  output_fields: data.output_fields,
  source: "syscall",
  tags: ["T1059", "shell"],
  hostname: "node-1",
  added: [],
};

/** Go finds these only when it runs the template; here they are found when it is read. */
const foundEarlier = new Set(["{{9223372036854775808}}", "{{$x = 1}}", "{{$x := $x}}"]);

const outcome = (template: string, value: Value): Pick<Case, "text" | "fails"> => {
  let stage: "parse" | "run" = "parse";
  try {
    const compiled = compileTemplate(template);
    stage = "run";
    return { text: compiled.run(value) };
  } catch (error) {
    assert.ok(error instanceof TemplateError, String(error));
    return { fails: stage };
  }
};

test("templates make the text that Go makes of them, and fail where Go fails", () => {
  const cases = here("../../golden/template.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Case);
  assert.ok(cases.length > 400);
  for (const { root, template, text, fails } of cases) {
    const got = outcome(template, root === "fields" ? (data.output_fields as Value) : messageData(alert));
    const want = fails ? { fails: foundEarlier.has(template) ? "parse" : fails } : { text: text ?? "" };
    assert.deepEqual(got, want, template);
  }
});

test("a template that does not parse says where", () => {
  for (const [text, message] of [
    ["a\n {{ .x | nope }}", 'line 2 column 10: function "nope" not defined'],
    ["{{if .x}}", "line 1 column 10: unexpected end of the template"],
    ["{{ $y }}", 'line 1 column 4: undefined variable "$y"'],
  ] as const) {
    assert.throws(() => compileTemplate(text), { name: "TemplateError", message });
  }
});

test("a template can neither hang nor fill the memory", () => {
  const endless = [
    "{{range 1000000000}}{{end}}",
    "{{range 100000}}{{range 100000}}x{{end}}{{end}}",
    '{{define "x"}}{{template "x"}}{{end}}{{template "x"}}',
    '{{define "x"}}{{template "x" .}}{{template "x" .}}{{end}}{{template "x" .}}',
    '{{$x := "0123456789"}}{{range 100}}{{$x = print $x $x}}{{end}}',
    '{{range 100000}}{{printf "%1000000d" 1}}{{end}}',
    '{{$x := ""}}{{range 100000}}{{$x = printf "%1000000d" 1}}{{end}}',
  ];
  for (const text of endless) assert.throws(() => compileTemplate(text).run({}), TemplateError, text);
  assert.throws(() => compileTemplate(`${"{{if true}}".repeat(5000)}${"{{end}}".repeat(5000)}`), TemplateError);
  assert.throws(() => compileTemplate(`{{${"(".repeat(5000)}1${")".repeat(5000)}}}`), TemplateError);
});

test("deeply nested fields are printed, or refused with a verb that needs a stack", () => {
  const deep = parseJson(`${"[".repeat(9000)}${"]".repeat(9000)}`) as Value;
  assert.equal(compileTemplate("{{.}}").run(deep).length, 18_000);
  assert.throws(() => compileTemplate('{{printf "%q" .}}').run(deep), TemplateError);
});

test("names of JavaScript's own are no fields", () => {
  const names = ["constructor", "__proto__", "toString", "hasOwnProperty"];
  for (const name of names) {
    assert.equal(compileTemplate(`{{ .${name} }}|{{ index . "${name}" }}`).run({}), "<no value>|<no value>");
    assert.throws(() => compileTemplate(`{{ .${name} }}`).run(messageData(alert)), TemplateError);
    assert.throws(() => compileTemplate(`{{ .Time.${name} }}`).run(messageData(alert)), TemplateError);
  }
});

test("a message is rendered from the alert, and is empty where the template fails", () => {
  const text = "{{ .Rule }} by {{ index .OutputFields `user.name` }}: {{ .Priority }}";
  assert.equal(compileMessage(text)(alert), "Terminal shell by root: Warning");
  assert.equal(renderMessage(text, alert), "Terminal shell by root: Warning");
  assert.equal(renderMessage("x {{ .Nope.Foo }}", alert), "");
  assert.equal(renderMessage("{{ bad", alert), "");
  assert.equal(renderMessage("{{ bad", alert), "");
  assert.match(renderMessage("{{ . }}", alert), /^\{"uuid":"7e5b6d0e/);
});
