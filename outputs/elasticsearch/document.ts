import { type Alert, type FieldValue, goJson, isRawNumber, rawEvent, rawEventObject } from "../../src/sdk/alert.ts";
import { renamed } from "../../src/sdk/distinct.ts";
import { DeliveryError, type Reason } from "../../src/sdk/errors.ts";
import { jsonWords, oneLine } from "../../src/sdk/words.ts";
import { refusedFields, withoutValues } from "./refused-fields.ts";

/** `daily`, `monthly`, `annually` or `none`; anything else counts as daily. The date is that of `at`, in local time. */
export const indexName = (index: string, suffix: string, at: number): string => {
  if (suffix === "none") return index;
  const date = new Date(at);
  const year = String(date.getFullYear());
  const month = `${year}.${String(date.getMonth() + 1).padStart(2, "0")}`;
  if (suffix === "annually") return `${index}-${year}`;
  return suffix === "monthly" ? `${index}-${month}` : `${index}-${month}.${String(date.getDate()).padStart(2, "0")}`;
};

/** What Elasticsearch and OpenSearch would refuse of an index name, its date included; date math is theirs to judge. */
export const indexNameFault = (index: string): string | undefined => {
  if (index === "") return "is empty";
  if (/^<.*>$/.test(index)) return undefined;
  if (index !== index.toLowerCase()) return "must be in lower case";
  if (/[\\/*?"<>|\s,#:]/.test(index)) return 'must hold none of \\ / * ? " < > | , # : nor a blank';
  if (/^[-_+]/.test(index)) return "must not begin with -, _ or +";
  if (index === "." || index === "..") return "must not be . or ..";
  // `-2026.11.27`
  return Buffer.byteLength(index) > 255 - 11
    ? "is longer than 244 bytes, which leaves no room for the date"
    : undefined;
};

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

/** What became of one document. `fields` are paths within `output_fields` that the index refused, `said` why, in its words. */
export interface ItemFault {
  readonly index: number;
  readonly reason: Reason;
  readonly retryable: boolean;
  readonly fields: readonly string[];
  readonly said: string;
}

interface BulkError {
  readonly type?: unknown;
  readonly reason?: unknown;
  readonly caused_by?: BulkError;
}
interface BulkItem {
  readonly status?: unknown;
  readonly error?: BulkError;
}

/** The failed documents of a bulk reply; throws when the reply does not answer for every document. */
export const bulkFaults = (reply: unknown, count: number): readonly ItemFault[] => {
  const { errors, items } = (reply ?? {}) as { errors?: unknown; items?: unknown };
  if (!Array.isArray(items) || items.length !== count || typeof errors !== "boolean")
    throw new DeliveryError("the bulk reply does not answer for every document", {
      reason: "bad_reply",
      retryable: true,
    });
  return items.flatMap((item: Record<string, BulkItem>, index) => itemFault(Object.values(item ?? {})[0] ?? {}, index));
};

const itemFault = ({ status, error }: BulkItem, index: number): ItemFault[] => {
  // 409: this very document is there already, from an attempt whose answer was lost.
  if (status === 409 || (typeof status === "number" && status < 300)) return [];
  const said = withoutValues(oneLine(jsonWords(error)));
  const fault = (reason: Reason, retryable: boolean, fields: readonly string[] = []) => [
    { index, reason, retryable, fields, said },
  ];
  if (status === 429) return fault("rate_limited", true);
  if (typeof status !== "number" || status >= 500) return fault("server_error", true);
  if (status === 401 || status === 403) return fault("auth_error", false);
  return fault("invalid", false, refusedFields(error));
};

/** Ends a delivery: nothing when all were taken, else one error that names each failed alert. */
export const settle = (faults: readonly ItemFault[]): void => {
  const [first] = faults;
  if (first === undefined) return;
  const failed = faults.map(({ index }) => index).toSorted((a, b) => a - b);
  const dead = faults.filter((fault) => !fault.retryable).map(({ index }) => index);
  const reason = faults.every((fault) => fault.reason === first.reason) ? first.reason : "partial";
  throw new DeliveryError(
    `${faults.length} of the documents were refused`,
    { reason, retryable: dead.length < faults.length, failed, dead: dead.toSorted((a, b) => a - b) },
    new Map(faults.map(({ index, said }) => [index, said])),
  );
};
