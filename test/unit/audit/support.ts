import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { checkValue, compactJson, skipBlank } from "../../../src/json/grammar.ts";
import type { FieldCatalog, FieldResult } from "../../../src/sdk/catalog.ts";
import type { Incoming } from "../../../src/sdk/event.ts";
import { JsonEvent } from "../../../src/sdk/json-event.ts";

/** The lines of a recording in test/golden/k8saudit. */
// biome-ignore lint/suspicious/noExplicitAny: recordings are what they are
export const golden = (name: string): any[] =>
  gunzipSync(readFileSync(join(import.meta.dirname, `../../golden/k8saudit/${name}.jsonl.gz`)))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/** `name` or `name[argument]` as recordings spell it. */
export const ask = (catalog: FieldCatalog<JsonEvent>, event: JsonEvent, spelled: string): FieldResult => {
  const [, name = "", argument] = /^([^[]+)(?:\[([\s\S]*)\])?$/.exec(spelled) ?? [];
  const field = catalog.fields.get(name);
  if (!field) throw new Error(`no field ${name}`);
  const arg = argument === undefined ? undefined : field.arg?.kind === "index" ? Number(argument) : argument;
  const asked = field.get(event, arg);
  if (field.bind && JSON.stringify(field.bind(arg)(event)) !== JSON.stringify(asked))
    throw new Error(`bind: ${spelled}`);
  return asked;
};

export const auditEvent = (extra: object = {}, auditID = "id-1"): string =>
  JSON.stringify({ kind: "Event", auditID, stageTimestamp: "2024-03-01T10:00:01Z", ...extra });

/** True when the text is one JSON value and blanks. */
export const isJson = (text: string): boolean => {
  const end = checkValue(text, skipBlank(text, 0), 1, true);
  return end >= 0 && skipBlank(text, end) === text.length;
};

/** An event as sources deliver it, from text as it was recorded: blanks around and between the tokens are cut; undefined when it is not JSON. */
export const openText = (incoming: Incoming, num: number, arrivedMs: number): JsonEvent | undefined => {
  const text = compactJson(incoming.text);
  return isJson(text) ? new JsonEvent({ ...incoming, text }, num, arrivedMs) : undefined;
};
