import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseJson } from "../../../src/json/parse.ts";
import { type AlertSettings, decodeAlerts, makeAlertSettings } from "../../../src/pipeline/alert-in.ts";
import type { AlertKeys } from "../../../src/pipeline/alert-settings.ts";
import { goJson, rawEvent } from "../../../src/sdk/alert.ts";

const golden = (file: string): Record<string, unknown>[] =>
  readFileSync(new URL(`../../golden/alerts/${file}`, import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => parseJson(line) as Record<string, unknown>);

const noKeys: AlertKeys = {
  customfields: {},
  customtags: [],
  templatedfields: {},
  bracketreplacer: "",
  outputfieldformat: "",
};
const settingsOf = (keys: Partial<AlertKeys> = {}): AlertSettings => {
  const { settings, problems } = makeAlertSettings({ ...noKeys, ...keys }, () => "<UUID>");
  assert.deepEqual(problems, []);
  return settings;
};
const plain = settingsOf();

const protoKey = "__proto__";
const minimal = { rule: "r", priority: "Warning", time: "2025-01-15T10:20:30Z", output_fields: { a: "b" } };
const post = (change: object): string => JSON.stringify({ ...minimal, ...change });
const one = (text: string, settings = plain) => {
  const { alerts, rejected } = decodeAlerts(text, settings);
  assert.deepEqual(rejected, []);
  assert.equal(alerts.length, 1);
  return alerts[0]!;
};
const reason = (text: string): string | undefined => {
  const { alerts, rejected } = decodeAlerts(text, plain);
  assert.equal(alerts.length, 0);
  return rejected[0]?.reason;
};

/** Bodies that falcosidekick answers with 400, or with a closed connection, and that are accepted here. */
const acceptedHere: Readonly<Record<string, string>> = {
  "body-array": "lists of alerts are accepted",
  "output_fields-missing": "an alert needs no fields",
  "output_fields-null": "an alert needs no fields",
  "output_fields-empty": "an alert needs no fields",
  "k8s.ns.name-number": "a field of an odd type is no reason to hang up",
  "k8s.pod.name-bool": "a field of an odd type is no reason to hang up",
  "k8s.ns.name-array": "a field of an odd type is no reason to hang up",
  "double-slash-post": "the path is not the decoder's",
  "dot-path-post": "the path is not the decoder's",
};

test("bodies are taken and refused as falcosidekick does, but for the listed differences", () => {
  const cases = golden("http-contract.jsonl");
  assert.ok(cases.length > 80);
  for (const { name, body, deliveries, delivered } of cases) {
    const text = String(body).startsWith("base64:")
      ? Buffer.from(String(body).slice(7), "base64").toString("utf8")
      : String(body);
    const { alerts, rejected } = decodeAlerts(text, plain);
    const expected = Number(deliveries) > 0 || String(name) in acceptedHere;
    assert.equal(alerts.length > 0, expected, `${name}: ${rejected[0]?.reason}`);
    if (delivered) {
      const event = parseJson(rawEvent(alerts[0]!)) as Record<string, unknown>;
      delete event.uuid;
      const { uuid, ...rest } = delivered as Record<string, unknown>;
      assert.equal(sorted(event), sorted(rest), String(name));
    }
  }
});

const sorted = (value: object): string =>
  goJson(Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))));

test("the raw event is byte for byte what falcosidekick sends, with globals, brackets and output formats", () => {
  const cases = golden("events.jsonl");
  assert.ok(cases.length > 60);
  for (const { name, settings, posted, event } of cases) {
    const alert = one(goJson(posted), settingsOf(settings as Partial<AlertKeys>));
    const text = rawEvent(alert).replace("\\u003cUUID\\u003e", "<UUID>");
    const expected = String(event).trimEnd();
    if (cutThere.has(String(name))) assert.ok(text.length > expected.length && expected.includes("[...]"));
    else assert.equal(text, expected, String(name));
  }
});

/** Above 4096 bytes falcosidekick cuts long fields for every destination; here the alert stays whole. */
const cutThere = new Set(["030-base-long-field-600"]);

test("lines, lists and values after each other are all alerts; broken ones are named and the rest is kept", () => {
  const good = (rule: string) => post({ rule });
  const { alerts, rejected } = decodeAlerts(
    `${good("a")}\n${good("b")}${good("c")}\n{"rule":\n[${good("d")},1,{},${good("e")}]\n[]\n${good("f")} garbage`,
    plain,
  );
  assert.deepEqual(
    alerts.map((alert) => alert.rule),
    ["a", "b", "c", "d", "e", "f"],
  );
  assert.deepEqual(rejected, [
    { index: 3, reason: "line 5 column 1: unexpected character" },
    { index: 5, reason: "an alert is a JSON object" },
    { index: 6, reason: "priority is missing" },
    { index: 8, reason: "the list is empty" },
    { index: 10, reason: "line 6 column 91: unexpected character" },
  ]);
});

test("an empty body is refused", () => {
  for (const text of ["", " \n"]) assert.equal(reason(text), "the body is empty");
});

test("a hundred refusals are named, the rest is counted", () => {
  const { alerts, rejected } = decodeAlerts("{}".repeat(1000), plain);
  assert.equal(alerts.length, 0);
  assert.equal(rejected.length, 101);
  assert.deepEqual(rejected.at(-1), { index: 1000, reason: "900 more were refused" });
});

test("reasons name the key and never quote the body", () => {
  const secret = "s3cret";
  for (const [change, expected] of [
    [{ priority: secret }, "priority is none of Falco's names"],
    [{ time: secret }, "time is not an RFC 3339 time"],
    [{ tags: secret }, "tags is not a list"],
    [{ tags: [1] }, "tags holds something that is not a string"],
    [{ output_fields: secret }, "output_fields is not an object"],
    [{ output: 1.5 }, "output is not a string"],
    [{ rule: "" }, "rule is missing"],
  ] as const) {
    assert.equal(reason(post(change)), expected);
  }
});

test("a uuid is kept when it is one", () => {
  const uuid = "7E5b6d0e-0000-4000-8000-000000000001";
  assert.equal(one(post({ uuid })).uuid, uuid);
  for (const bad of ["abc", "", null, `${uuid}x`]) assert.equal(one(post({ uuid: bad })).uuid, "<UUID>");
});

test("halves of surrogate pairs become U+FFFD, pairs stay", () => {
  const alert = one(
    `{"rule":"\\ud83d\\ude00 \\ud800 \\udc00\\ud83d x\\\\ud800","priority":"debug","time":"2025-01-15T10:20:30Z"}`,
  );
  assert.equal(alert.rule, "😀 \ufffd \ufffd\ufffd x\\ud800");
  assert.equal(one(post({ rule: "a\ud800" })).rule, "a\ufffd");
});

test("keys on every level are in byte order and an alert never changes", () => {
  const alert = one(
    post({
      output_fields: { "\ue000": 1, "😀": { b: [{ z: 1, y: 2 }], a: 1 }, Z: 1, a: 1 },
      tags: ["b", "B", "😀", "\ue000"],
    }),
  );
  assert.deepEqual(Object.keys(alert.output_fields), ["Z", "a", "\ue000", "😀"]);
  assert.equal(goJson(alert.output_fields["😀"]), '{"a":1,"b":[{"y":2,"z":1}]}');
  assert.deepEqual(alert.tags, ["B", "b", "\ue000", "😀"]);
  const nested = alert.output_fields["😀"] as { b: object[] };
  for (const part of [alert, alert.tags, alert.output_fields, alert.added, nested, nested.b, nested.b[0]]) {
    assert.ok(Object.isFrozen(part));
  }
  assert.equal(Object.getPrototypeOf(alert.output_fields), null);
  assert.equal(Object.getPrototypeOf(nested), null);
});

test("__proto__ is a field and pollutes nothing", () => {
  for (const settings of [plain, settingsOf({ customfields: { z: "1" }, bracketreplacer: "_" })]) {
    const alert = one(
      `{"__proto__":{"rule":"x"},${post({}).slice(1, -1)},"output_fields":{"__proto__":{"a":1.50},"b[0]":"c"}}`,
      settings,
    );
    assert.equal(alert.rule, "r");
    assert.equal(goJson(alert.output_fields[protoKey]), '{"a":1.50}');
    assert.equal(({} as Record<string, unknown>).a, undefined);
  }
});

test("names of the hub's fields are remembered, renamed like the fields themselves", () => {
  const settings = settingsOf({
    customfields: { "c[0]": "1", a: "2" },
    templatedfields: { t: "{{ index . `a` }}!", bad: "{{ .a.b }}", a: "{{ .t }}?" },
    bracketreplacer: "_",
  });
  const alert = one(post({}), settings);
  assert.deepEqual(alert.added, ["c_0", "a", "t"]);
  assert.equal(goJson(alert.output_fields), '{"a":"2!?","c_0":"1","t":"2!"}');
});

test("a template that does not parse is a problem of the configuration and its field is left out", () => {
  const { settings, problems } = makeAlertSettings(
    { ...noKeys, templatedfields: { ok: "x", bad: "{{ nope }}" } },
    () => "u",
  );
  assert.deepEqual(problems, [{ key: "templatedfields.bad", message: 'line 1 column 4: function "nope" not defined' }]);
  assert.deepEqual(one(post({}), settings).added, ["ok"]);
});

test("the test rule is internal, and an alert without source is syscalls", () => {
  assert.equal(one(post({ rule: "Test rule", source: "syscall" })).source, "internal");
  assert.equal(one(post({ rule: "test rule", source: "syscall" })).source, "syscall");
  assert.equal(one(post({ source: "" })).source, "syscalls");
});

test("nine thousand levels pass, eleven thousand are refused", () => {
  const nested = (depth: number) => `{"x":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  const body = (depth: number) => `${post({}).slice(0, -1)},"output_fields":${nested(depth)}}`;
  assert.ok(rawEvent(one(body(9000))).includes(nested(9000)));
  assert.match(reason(body(11_000)) ?? "", /nested deeper than 10000/);
});

const randomOf = (seed: number) => {
  let state = seed;
  return (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
};

test("a hundred thousand mutilated bodies never throw, and what is accepted is an event that is accepted again", () => {
  const random = randomOf(20250115);
  const settings = settingsOf({
    customfields: { a: "1" },
    templatedfields: { t: "{{ index . `proc.name` }}{{ .n }}" },
    bracketreplacer: "_",
    outputfieldformat: "<priority> <output>",
  });
  const seeds = [
    ...golden("http-contract.jsonl").map(({ body }) => String(body)),
    ...golden("events.jsonl").map(({ posted }) => goJson(posted)),
  ].filter((text) => text.length < 1500);
  const scraps = [
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "\n",
    "\\ud800",
    "\\u0000",
    "null",
    "1e999",
    "-0",
    "1.50",
    "\ud800",
    "__proto__",
    "\u0000",
    " ",
  ];
  const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;
  for (let i = 0; i < 100_000; i++) {
    let text = pick(seeds);
    for (let n = random(4); n >= 0; n--) {
      const at = random(text.length);
      const cut = random(3) === 0 ? random(40) : random(2);
      text = text.slice(0, at) + (random(2) === 0 ? pick(scraps) : "") + text.slice(at + cut);
    }
    const { alerts, rejected } = decodeAlerts(text, settings);
    assert.ok(alerts.length + rejected.length > 0);
    for (const alert of alerts) {
      const again = decodeAlerts(rawEvent(alert), plain);
      assert.equal(again.rejected.length, 0);
      if (uuidLike.test(alert.uuid)) assert.equal(rawEvent(again.alerts[0]!), rawEvent(alert));
    }
  }
});

const uuidLike = /^[0-9a-f-]{36}$/i;
