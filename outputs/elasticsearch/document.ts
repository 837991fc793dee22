import { type Alert, type FieldValue, goJson, isRawNumber, rawEvent, rawEventObject } from "../../src/sdk/alert.ts";
import { renamed } from "../../src/sdk/distinct.ts";

/**
 * One alert as a document: the raw event and `@timestamp`. `flatten` writes `.` in field names as `_`; `without` leaves
 * out exactly these, by the paths that Elasticsearch gives them.
 */
export const document = (alert: Alert, flatten: boolean, without: readonly string[] = []): string => {
  if (!flatten && without.length === 0)
    return `${rawEvent(alert).slice(0, -1)},"@timestamp":${JSON.stringify(alert.time)}}`;
  const given = Object.entries(alert.output_fields);
  const written = flatten ? renamed(given, (name) => name.replaceAll(".", "_")) : given;
  const output_fields = without.reduce<Fields>((fields, path) => omit(fields, path), Object.fromEntries(written));
  return goJson({ ...rawEventObject(alert), output_fields, "@timestamp": alert.time });
};

type Fields = Readonly<Record<string, FieldValue>>;

/** Without the field of this path: dots part names, and stand within them. The same object when it has no such field. */
const omit = (fields: Fields, path: string): Fields => {
  const { [path]: found, ...rest } = fields;
  if (found !== undefined) return rest;
  for (const [name, value] of Object.entries(fields)) {
    if (!path.startsWith(`${name}.`)) continue;
    const inside = omitWithin(value, path.slice(name.length + 1));
    if (inside !== value) return { ...fields, [name]: inside };
  }
  return fields;
};

const omitWithin = (value: FieldValue, path: string): FieldValue => {
  if (typeof value !== "object" || value === null || isRawNumber(value)) return value;
  if (!Array.isArray(value)) return omit(value as Fields, path);
  const items = value.map((item) => omitWithin(item, path));
  return items.some((item, i) => item !== value[i]) ? items : value;
};
