import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import type { AlertLimits } from "../../../src/config/types.ts";
import { decodeAlerts } from "../../../src/pipeline/alert-in.ts";
import type { Cause } from "../../../src/pipeline/alert-limits.ts";
import { makeAlertSettings } from "../../../src/pipeline/alert-settings.ts";
import { alertLimits, post, start } from "../http/support.ts";

const settingsWith = (limits: Partial<AlertLimits>) =>
  makeAlertSettings(
    {
      customfields: {},
      customtags: [],
      templatedfields: {},
      bracketreplacer: "",
      outputfieldformat: "",
      limits: { ...alertLimits, ...limits },
    },
    () => "00000000-0000-4000-8000-000000000000",
  ).settings;

const alert = (over: object = {}): string =>
  JSON.stringify({ rule: "r", priority: "Warning", time: "2025-01-15T10:20:30Z", output: "o", ...over });
const fields = (n: number): object => Object.fromEntries(Array.from({ length: n }, (_, i) => [`f${i}`, "v"]));

/** An alert that has just as much as allowed at `n`. */
const shapes: Readonly<
  Record<string, { readonly key: keyof AlertLimits; readonly cause: Cause; readonly of: (n: number) => string }>
> = {
  "output fields": { key: "maxfields", cause: "too_many_fields", of: (n) => alert({ output_fields: fields(n) }) },
  "the name of a field": {
    key: "maxfieldname",
    cause: "field_name_too_long",
    of: (n) => alert({ output_fields: { ["x".repeat(n)]: 1 } }),
  },
  "the rule": { key: "maxname", cause: "name_too_long", of: (n) => alert({ rule: "x".repeat(n) }) },
  "the source": { key: "maxname", cause: "name_too_long", of: (n) => alert({ source: "x".repeat(n) }) },
  "the hostname": { key: "maxname", cause: "name_too_long", of: (n) => alert({ hostname: "x".repeat(n) }) },
  tags: { key: "maxtags", cause: "too_many_tags", of: (n) => alert({ tags: Array.from({ length: n }, () => "t") }) },
  "one tag": { key: "maxtaglength", cause: "tag_too_long", of: (n) => alert({ tags: ["x".repeat(n)] }) },
  "the alert in ASCII": {
    key: "maxalertbytes",
    cause: "alert_too_large",
    of: (n) => alert({ output: "x".repeat(n - sizeOfEmpty) }),
  },
  "the alert in other letters": {
    key: "maxalertbytes",
    cause: "alert_too_large",
    of: (n) => alert({ output: `${"é".repeat((n - sizeOfEmpty) >> 1)}${"x".repeat((n - sizeOfEmpty) % 2)}` }),
  },
};
const sizeOfEmpty =
  '{"uuid":"00000000-0000-4000-8000-000000000000","output":"","priority":"Warning","rule":"r","time":"2025-01-15T10:20:30Z","output_fields":{},"source":"syscalls"}'
    .length;

for (const [what, { key, cause, of }] of Object.entries(shapes)) {
  test(`${what}: as much as limits.${key} is taken, more is refused by name, also inside a list and beside good ones`, async (t) => {
    const limit = key === "maxalertbytes" ? 400 : 20;
    const settings = settingsWith({ [key]: limit });
    assert.deepEqual(decodeAlerts(of(limit), settings).rejected, []);
    const { alerts, rejected, refused } = decodeAlerts(`[${of(limit + 1)},${of(limit)}]\n${of(limit + 2)}`, settings);
    assert.equal(alerts.length, 1);
    assert.deepEqual(refused, { [cause]: 2 });
    assert.deepEqual(
      rejected.map((r) => r.index),
      [0, 2],
    );
    for (const { reason } of rejected) assert.match(reason, new RegExp(`than limits\\.${key} \\(${limit}\\)$`));

    const take = async (text: string) => {
      const { alerts, ...refusals } = decodeAlerts(text, settings);
      return { accepted: alerts.length, ...refusals };
    };
    const { port, sample } = await start(t, {}, { take });
    const reply = await post(port, of(limit + 1));
    assert.equal(reply.status, 413);
    assert.match(JSON.parse(reply.body).rejected[0].reason, new RegExp(`limits\\.${key}`));
    assert.equal(await sample(`eyrie_intake_rejected_total{source="requests",reason="${cause}"}`), 1);
    assert.equal(await sample('eyrie_refusals_total{listener="alerts",reason="too_large"}'), 1);
    assert.equal((await post(port, of(limit))).status, 200);
  });

  test(`limits.${key} is a key of the file and a variable (${what})`, () => {
    const text = `limits:\n  ${key}: 77\n`;
    const read = () => text;
    const fromFile = loadConfig({ file: "x.yaml", read, env: {}, outputs: [], sources: [] });
    assert.deepEqual([fromFile.problems, fromFile.config.limits[key]], [[], 77]);
    const env = { [`LIMITS_${key.toUpperCase()}`]: "78" };
    assert.equal(loadConfig({ env, outputs: [], sources: [] }).config.limits[key], 78);
  });
}

test("an alert of what the default limits allow is taken, in output and fields together", () => {
  const settings = settingsWith({});
  const text = alert({ output_fields: fields(10_000), tags: Array.from({ length: 256 }, (_, i) => `t${i}`) });
  assert.equal(decodeAlerts(text, settings).alerts.length, 1);
  assert.equal(decodeAlerts(alert({ output: "x".repeat(1_000_000) }), settings).alerts.length, 1);
});

test("behind limits.maxrefused refused values the rest is not read, and that is said", () => {
  const settings = settingsWith({ maxrefused: 3 });
  const lines = (n: number) => `${alert()}\n${"1\n".repeat(n)}${alert()}`;
  const within = decodeAlerts(lines(2), settings);
  assert.deepEqual([within.alerts.length, within.refused], [2, { invalid: 2 }]);
  const beyond = decodeAlerts(lines(3), settings);
  assert.deepEqual([beyond.alerts.length, beyond.refused], [1, { invalid: 3, too_many_refused: 1 }]);
  assert.match(beyond.rejected.at(-1)!.reason, /^the rest was not read: limits\.maxrefused \(3\)/);
  const unnamed = decodeAlerts(lines(5000), settingsWith({ maxrefused: 1000 }));
  assert.equal(unnamed.rejected.length, 101);
  assert.match(unnamed.rejected.at(-1)!.reason, /901 more were refused; the rest was not read/);
});

test("all of a body's refusals are counted, not only those that are named", async (t) => {
  const settings = settingsWith({});
  const take = async (text: string) => {
    const { alerts, ...refusals } = decodeAlerts(text, settings);
    return { accepted: alerts.length, ...refusals };
  };
  const { port, sample } = await start(t, {}, { take });
  await post(port, `[${"1,".repeat(499)}1]`);
  assert.equal(await sample('eyrie_intake_rejected_total{source="requests",reason="invalid"}'), 500);
});

test("what an alert beyond limits.maxalertbytes costs is what was posted, not what it would become", () => {
  const settings = settingsWith({});
  const costOf = (text: string): number => {
    const from = process.cpuUsage();
    assert.deepEqual(decodeAlerts(text, settings).refused, { alert_too_large: 1 });
    const { user, system } = process.cpuUsage(from);
    return (user + system) / 1000;
  };
  const n = 6_000_000;
  const plain = Math.max(20, costOf(alert({ output: "x".repeat(n) })));
  const texts = {
    "six characters for one": alert({ output: "<".repeat(n) }),
    "halves of pairs": alert({ output: "HERE" }).replace("HERE", () => "\\ud800".repeat(n / 6)),
    "in a list": alert({ output_fields: { a: Array.from({ length: n / 8 }, () => "<<<<<") } }),
  };
  for (const [what, text] of Object.entries(texts)) {
    const cost = costOf(text);
    assert.ok(cost < 12 * plain, `${what}: ${cost} ms, and ${plain} ms for letters`);
  }
});

test("a number and blanks without end are refused by name, like any other broken value", () => {
  const settings = settingsWith({});
  for (const text of [`${"9".repeat(40_000_000)}`, `x\n${" ".repeat(40_000_000)}`])
    assert.deepEqual(decodeAlerts(text, settings).refused, { invalid: 1 });
});
