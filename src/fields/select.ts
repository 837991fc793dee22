import { numberFromText } from "../sdk/alert.ts";
import type { Field, FieldArg, FieldResult } from "../sdk/catalog.ts";
import type { JsonEvent } from "../sdk/json-event.ts";
import { printable } from "../sdk/printable.ts";

/** Fields to show, by the name they are asked for under. */
export type Chosen = ReadonlyMap<string, (event: JsonEvent) => FieldResult>;

const reader = (field: Field<JsonEvent>, arg: FieldArg): ((event: JsonEvent) => FieldResult) =>
  field.bind?.(arg) ?? ((event) => field.get(event, arg));

/** Every field that can be asked without an argument. */
export const allWithoutArgument = (fields: readonly Field<JsonEvent>[]): Chosen =>
  new Map(fields.filter((field) => !field.arg?.required).map((field) => [field.name, reader(field, undefined)]));

/** Fields by name, `name[argument]` where they take one; or the first fault. */
export const chooseFields = (
  spelled: readonly string[],
  fields: readonly Field<JsonEvent>[],
): Chosen | { readonly fault: string } => {
  const byName = new Map(fields.map((field) => [field.name, field]));
  const chosen = new Map<string, (event: JsonEvent) => FieldResult>();
  for (const text of spelled) {
    const [, name = text, inside] = /^([^[]*)(?:\[([\s\S]*)\])?$/.exec(text) ?? [];
    const field = byName.get(name);
    if (!field) return { fault: `no field "${name}"` };
    const arg = argumentOf(field, inside);
    if (typeof arg === "object") return { fault: `${text}: ${arg.fault}` };
    chosen.set(text, reader(field, arg));
  }
  return chosen;
};

const argumentOf = (field: Field<JsonEvent>, inside: string | undefined): FieldArg | { readonly fault: string } => {
  if (inside === undefined) return field.arg?.required ? { fault: "needs an argument in brackets" } : undefined;
  if (!field.arg) return { fault: "takes no argument" };
  const text =
    /^"(.*)"$|^'(.*)'$/s
      .exec(inside)
      ?.slice(1)
      .find((part) => part !== undefined) ?? inside;
  if (field.arg.kind === "index" && !/^(?:0|[1-9]\d*)$/.test(text)) return { fault: "takes an index" };
  return field.arg.kind === "index" || (field.arg.kind === "both" && /^\d+$/.test(text)) ? Number(text) : text;
};

/** The chosen fields that have a value, as one JSON object; lists are arrays of text. */
export const rowOf = (chosen: Chosen, event: JsonEvent): string => {
  const row: Record<string, unknown> = {};
  for (const [name, read] of chosen) {
    const value = read(event);
    if (value !== undefined) row[name] = typeof value === "bigint" ? numberFromText(String(value)) : value;
  }
  return printable(JSON.stringify(row));
};
