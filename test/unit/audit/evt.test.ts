import assert from "node:assert/strict";
import { test } from "node:test";
import { evtFields } from "../../../src/fields/evt.ts";
import type { Field } from "../../../src/sdk/catalog.ts";
import { type JsonEvent, openEvent } from "../../../src/sdk/json-event.ts";

const fieldsAt = (offsetMinutes: number) => {
  const all = evtFields<JsonEvent>({ pluginName: "k8saudit", offsetMinutes: () => offsetMinutes });
  return (name: string): Field<JsonEvent> => {
    const field = all.find((one) => one.name === name);
    assert.ok(field, name);
    return field;
  };
};

const event = (timeNs: string, num = 1): JsonEvent => openEvent({ source: "k8s_audit", text: "{}", timeNs }, num, 0);
const newYear = event("1704067199000000005");

test("times are local, or UTC where the name says ISO 8601", () => {
  const field = fieldsAt(330);
  const get = (name: string) => field(name).get(newYear, undefined);
  assert.equal(get("evt.time"), "05:29:59.000000005");
  assert.equal(get("evt.time.s"), "05:29:59");
  assert.equal(get("evt.datetime"), "2024-01-01 05:29:59.000000005");
  assert.equal(get("evt.datetime.s"), "2024-01-01 05:29:59");
  assert.equal(get("evt.time.iso8601"), "2023-12-31T23:59:59.000000005+0000");
  assert.equal(get("jevt.time"), get("evt.time"));
  assert.equal(get("jevt.time.iso8601"), get("evt.time.iso8601"));
});

test("output_fields hold times as nanoseconds, output text pads nanoseconds to nine digits", () => {
  const field = fieldsAt(0);
  assert.equal(field("evt.time").json?.(newYear, undefined), 1704067199000000005n);
  assert.equal(field("evt.rawtime").get(newYear, undefined), 1704067199000000005n);
  assert.equal(field("evt.rawtime.s").get(newYear, undefined), 1704067199n);
  assert.equal(field("evt.rawtime.ns").get(newYear, undefined), 5n);
  assert.equal(field("evt.rawtime.ns").text?.(newYear, undefined), "000000005");
});

test("relative times count from the first event", () => {
  const field = fieldsAt(0);
  const get = (name: string, e: JsonEvent) => field(name).get(e, undefined);
  assert.equal(get("evt.reltime", newYear), 0n);
  assert.equal(field("evt.reltime").text?.(newYear, undefined), "000000000");
  const later = event("1704067201500000005", 2);
  assert.deepEqual(
    [get("evt.reltime", later), get("evt.reltime.s", later), get("evt.reltime.ns", later)],
    [2500000000n, 2n, 500000000n],
  );
});

test("what an event is besides its time", () => {
  const field = fieldsAt(0);
  const get = (name: string) => field(name).get(event("1", 7), undefined);
  assert.deepEqual(
    ["evt.num", "evt.source", "evt.pluginname", "evt.plugininfo", "evt.is_async", "evt.asynctype", "evt.hostname"].map(
      get,
    ),
    [7, "k8s_audit", "k8saudit", "{}", false, undefined, ""],
  );
});

test("an event without a time has the time of its arrival", () => {
  assert.equal(openEvent({ source: "k8s_audit", text: "{}" }, 1, 1_704_067_199_001).timeNs, 1_704_067_199_001_000_000n);
});
