import assert from "node:assert/strict";
import { test } from "node:test";
import { auditFields } from "../../../src/audit/catalog.ts";
import { gkeEvent } from "../../../src/audit/convert/gke.ts";
import { splitPayload } from "../../../src/audit/payload.ts";
import { evtFields } from "../../../src/fields/evt.ts";
import { jsonFields } from "../../../src/fields/json.ts";
import type { Field, FieldArg } from "../../../src/sdk/catalog.ts";
import { type JsonEvent, openEvent } from "../../../src/sdk/json-event.ts";
import { auditEvent, golden, isJson, openText } from "./support.ts";

const rounds = 100_000;

/** The same numbers every time, below `limit`. */
const makeDice = (seed: number) => {
  let state = seed;
  return (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
};

const splinters = [
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "null",
  "true",
  "1e999",
  "-",
  "NaN",
  "\\u0000",
  "\\ud800",
  "\0",
  " ",
  "\ud800",
  '{"',
  '":',
  '"auditID":',
  '"kind":"Event",',
  '"spec":{',
  '"containers":[',
  '"\\',
  "[[[[[[",
  "]]]]",
  '{"__proto__":',
  "%zz",
  "é€😀",
];

const mutate = (text: string, dice: (limit: number) => number): string => {
  let out = text;
  for (let n = dice(4); n >= 0; n--) {
    const at = dice(out.length + 1);
    const to = Math.min(out.length, at + dice(12));
    const splinter = splinters[dice(splinters.length)] ?? "";
    const kind = dice(4);
    if (kind === 0) out = out.slice(0, at) + out.slice(to);
    else if (kind === 1) out = out.slice(0, at) + splinter + out.slice(at);
    else if (kind === 2) out = out.slice(0, at) + splinter + out.slice(to);
    else out = out.slice(0, at) + out.slice(at, to).repeat(dice(4)) + out.slice(to);
  }
  return out;
};

const all: readonly Field<JsonEvent>[] = [
  ...auditFields.fields.values(),
  ...jsonFields,
  ...evtFields<JsonEvent>({ pluginName: "k8saudit", offsetMinutes: () => 90 }),
];

const keys = ["", "/", "x", "command", "/requestObject/spec/containers/0/image", "/etc*", "a~1b", "__proto__", "%"];

const askAll = (event: JsonEvent, dice: (limit: number) => number): void => {
  for (const field of all) {
    const key = keys[dice(keys.length)];
    const arg: FieldArg = field.arg?.required ? key : field.arg && dice(3) === 0 ? dice(5) : undefined;
    const value = field.get(event, arg);
    if (value === undefined) continue;
    if (field.list)
      assert.ok(Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string"));
    else if (field.type === "string") assert.equal(typeof value, "string");
  }
};

const seeds = golden("extract").map((line): string => line.event);

test("100,000 mutated events end in values or in drops, and whatever JSON.parse reads is read", () => {
  const dice = makeDice(20_261_121);
  let accepted = 0;
  for (let i = 0; i < rounds; i++) {
    const text = mutate(seeds[i % seeds.length] ?? "", dice);
    const { events, dropped } = splitPayload(text, { maxEventBytes: 10_000 });
    assert.ok(events.length + dropped.length > 0 || /^\s*\[/.test(text));
    accepted += events.length;
    for (const event of events) askAll(openEvent(event, i + 1, 0), dice);
    if (i % 10 === 0 && events.length === 0) {
      let strict = true;
      try {
        JSON.parse(text);
      } catch {
        strict = false;
      }
      if (strict) assert.ok(isJson(text), text);
    }
  }
  assert.ok(accepted > rounds / 10, String(accepted));
});

test("fields asked of text that is no JSON end too", () => {
  const dice = makeDice(7);
  for (let i = 0; i < 10_000; i++) {
    const text = mutate(seeds[i % seeds.length] ?? "", dice);
    askAll(openEvent({ source: "k8s_audit", text }, 1, 0), dice);
  }
});

test("mutated log entries of GKE are converted or refused", () => {
  const dice = makeDice(11);
  const entries = golden("gke_convert").map((line): string => line.log_entry);
  for (let i = 0; i < 5_000; i++) {
    try {
      JSON.parse(gkeEvent(mutate(entries[i % entries.length] ?? "", dice)).text);
    } catch (error) {
      assert.equal((error as Error).name, "ConvertError", (error as Error).stack);
    }
  }
});

const hostile: Readonly<Record<string, string>> = {
  "a million backslashes": auditEvent({ x: "\\".repeat(1_000_000) }),
  "a million quotes": auditEvent({ x: '"'.repeat(1_000_000) }),
  "an unclosed string of backslashes": `{"auditID":"${"\\".repeat(1_000_000)}`,
  "two hundred thousand keys, one with an escape at the end": `{"auditID":"a","kind":"Event","stageTimestamp":"2024-03-01T10:00:01Z",${Array.from({ length: 200_000 }, (_, i) => `"k${i}":1`).join()},"\\u0061":1}`,
  "a hundred thousand containers": auditEvent({
    requestObject: { spec: { containers: Array.from({ length: 100_000 }, () => ({ name: "c", image: "i:1" })) } },
  }),
  "a million brackets": "[".repeat(1_000_000),
  "nesting at the limit": auditEvent({ requestObject: 0 }).replace(":0", `:${"[".repeat(299)}${"]".repeat(299)}`),
  "a million blanks": `${" ".repeat(1_000_000)}${auditEvent()}${"\n".repeat(1_000_000)}`,
  "a query of a million parameters": auditEvent({ requestURI: `/x?${"a=b&".repeat(1_000_000)}` }),
  "a million percent signs": auditEvent({ requestURI: `/x?${"%25".repeat(333_333)}` }),
};

for (const [name, text] of Object.entries(hostile)) {
  test(`${name}: every field ends`, { timeout: 60_000 }, () => {
    const dice = makeDice(3);
    for (const event of splitPayload(text, { maxEventBytes: 1 << 30 }).events) askAll(openEvent(event, 1, 0), dice);
    const event = openText({ source: "k8s_audit", text }, 1, 0);
    if (event) askAll(event, dice);
  });
}
