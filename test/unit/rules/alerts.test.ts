import assert from "node:assert/strict";
import test from "node:test";
import { alertCatalog } from "../../../src/fields/alert.ts";
import { compileCondition } from "../../../src/rules/index.ts";
import { type Alert, numberFromText } from "../../../src/sdk/alert.ts";

const alert: Alert = {
  uuid: "u",
  time: "2024-05-06T07:08:01Z",
  rule: "Attach/Exec Pod",
  priority: "Critical",
  source: "k8s_audit",
  output: "o",
  tags: ["k8s", "T1609"],
  output_fields: {
    "ka.verb": "create",
    "ka.user.groups": ["dev", "ops"],
    "ka.uri.param[dryRun]": "All",
    "ka.response.code": 201,
    "evt.time": numberFromText("1714979281123456789"),
    "ka.target.name": null,
    cluster: "prod",
  },
  added: [],
};

const holds = (condition: string): boolean => {
  const compiled = compileCondition(condition, alertCatalog);
  if (!compiled.ok) throw new Error(compiled.message);
  return compiled.test(alert);
};

test("alerts are chosen by their own fields and by every output field", () => {
  for (const condition of [
    'alert.rule startswith "Attach"',
    "alert.priority in (Critical, Alert)",
    "alert.level >= 6",
    "alert.tags intersects (T1609)",
    "not alert.hostname exists",
    "ka.verb = create and ka.uri.param[dryRun] = All",
    "ka.user.groups in (ops, dev) and ka.user.groups intersects (ops)",
    "ka.response.code = 201",
    "evt.time = 1714979281123456789",
    "alert.field[cluster] = prod",
    "not ka.target.name exists",
    "not alert.field[constructor] exists and not alert.field[__proto__] exists",
  ])
    assert.ok(holds(condition), condition);
  assert.ok(!holds("ka.verb = delete"));
  assert.ok(!holds("ka.user.groups in (dev)"));
});

test("an operator applied to a field that holds a list asks each element", () => {
  assert.ok(holds("ka.user.groups = dev"));
  assert.ok(holds("ka.user.groups startswith op"));
  assert.ok(!holds("ka.user.groups contains x"));
});
