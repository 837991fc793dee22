/** An alert's fields as text, the ways destinations show them. */
import { type Alert, type FieldValue, goJson, isNumber, numberText } from "./alert.ts";
import { compareBytewise } from "./bytewise.ts";

/** Go's `%v` text: `map[k:v k2:v2]` with sorted keys, `[a 1 <nil>]`, numbers as they were written. */
export const goValue = (value: FieldValue | undefined): string => {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "boolean") return String(value);
  if (isNumber(value)) return numberText(value);
  return nested(value as Nested);
};

type Nested = readonly FieldValue[] | { readonly [key: string]: FieldValue };

/** Values may nest ten thousand deep: a stack of what is still to print, no recursion. */
const nested = (value: Nested): string => {
  const out: string[] = [];
  const rest: (string | Nested)[] = [value];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (typeof next === "string") {
      out.push(next);
      continue;
    }
    const list = Array.isArray(next);
    const keys = list ? (next as readonly FieldValue[]).keys() : Object.keys(next).sort(compareBytewise);
    const parts: (string | Nested)[] = [list ? "[" : "map["];
    let gap = "";
    for (const key of keys) {
      const item = (next as Record<string | number, FieldValue>)[key];
      parts.push(list ? gap : `${gap}${key}:`);
      parts.push(typeof item === "object" && item !== null && !isNumber(item) ? (item as Nested) : goValue(item));
      gap = " ";
    }
    parts.push("]");
    for (const part of parts.reverse()) rest.push(part);
  }
  return out.join("");
};

/** A field as a destination shows it. */
export type FieldText = readonly [name: string, text: string];

/** A list for people and labels: its items behind one another, `nginx, redis`; what is nested within as JSON. */
export const listText = (items: readonly FieldValue[], between = ", "): string =>
  items
    .map((item) => (typeof item === "object" && item !== null ? goJson(item) : goValue(item ?? "null")))
    .join(between);

/** Whether a value is a JSON array. */
export const isList = (value: FieldValue | undefined): value is readonly FieldValue[] => Array.isArray(value);

/** Which kinds of values are shown beside text. */
export interface Kinds {
  /** Numbers and booleans. */
  readonly scalars?: boolean;
  /** Lists that are not empty (images, addresses, flags of containers). */
  readonly lists?: boolean;
  /** All that is neither text nor such a list, as this prints it. */
  readonly printed?: (value: FieldValue | undefined) => string;
}

/** As falcosidekick's templates print a value: `goValue`, but null as `<no value>`. */
export const printedValue = (value: FieldValue | undefined): string => (value === null ? "<no value>" : goValue(value));

/** output_fields as text, in order of their names. Without kinds text alone, which is what falcosidekick shows in chats. */
export const textFields = (alert: Alert, { scalars = false, lists = false, printed }: Kinds): FieldText[] => {
  const fields: FieldText[] = [];
  for (const name of Object.keys(alert.output_fields)) {
    const value = alert.output_fields[name];
    if (typeof value === "string") fields.push([name, value]);
    else if (printed) fields.push([name, isList(value) && value.length > 0 ? listText(value) : printed(value)]);
    else if (scalars && typeof value === "boolean") fields.push([name, String(value)]);
    else if (scalars && isNumber(value)) fields.push([name, numberText(value)]);
    else if (lists && isList(value) && value.length > 0) fields.push([name, listText(value)]);
  }
  return fields;
};
