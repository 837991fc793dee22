import { type Alert, goJson, rawEvent, rawEventObject } from "./alert.ts";
import { DeliveryError, type Reason } from "./errors.ts";

/** `daily`, `monthly`, `annually` or `none`; anything else counts as daily. The date is that of `at`, in local time. */
export const indexName = (index: string, suffix: string, at: number): string => {
  if (suffix === "none") return index;
  const date = new Date(at);
  const year = String(date.getFullYear());
  const month = `${year}.${String(date.getMonth() + 1).padStart(2, "0")}`;
  if (suffix === "annually") return `${index}-${year}`;
  return suffix === "monthly" ? `${index}-${month}` : `${index}-${month}.${String(date.getDate()).padStart(2, "0")}`;
};

/** One alert as a document: the raw event and `@timestamp`. `flatten` writes `.` in field names as `_`; `without` leaves fields out. */
export const document = (alert: Alert, flatten: boolean, without?: string): string => {
  if (!flatten && without === undefined)
    return `${rawEvent(alert).slice(0, -1)},"@timestamp":${JSON.stringify(alert.time)}}`;
  const fields = Object.entries(alert.output_fields)
    .map(([name, value]) => [flatten ? name.replaceAll(".", "_") : name, value] as const)
    .filter(([name]) => without === undefined || !name.startsWith(without));
  return goJson({ ...rawEventObject(alert), output_fields: Object.fromEntries(fields), "@timestamp": alert.time });
};

/** What became of one document. `field` names the output field whose type the index refused. */
export interface ItemFault {
  readonly index: number;
  readonly reason: Reason;
  readonly retryable: boolean;
  readonly field?: string;
}

interface BulkItem {
  readonly status?: unknown;
  readonly error?: { readonly type?: unknown; readonly reason?: unknown };
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
  // 409: the document is there already, from an attempt whose answer was lost.
  if (status === 409 || (typeof status === "number" && status < 300)) return [];
  if (status === 429) return [{ index, reason: "rate_limited", retryable: true }];
  if (typeof status !== "number" || status >= 500) return [{ index, reason: "server_error", retryable: true }];
  if (status === 401 || status === 403) return [{ index, reason: "auth_error", retryable: false }];
  const mapping = /^(document|mapper)_parsing_exception$/.test(String(error?.type));
  const field = mapping ? /\[output_fields\.([^\]]+(?:\[[^\]]*\])*)\]/.exec(String(error?.reason))?.[1] : undefined;
  return [{ index, reason: "invalid", retryable: false, ...(field !== undefined && { field }) }];
};

/** Ends a delivery: nothing when all were taken, else one error that names each failed alert. */
export const settle = (faults: readonly ItemFault[]): void => {
  const [first] = faults;
  if (first === undefined) return;
  const failed = faults.map(({ index }) => index).toSorted((a, b) => a - b);
  const dead = faults.filter((fault) => !fault.retryable).map(({ index }) => index);
  const reason = faults.every((fault) => fault.reason === first.reason) ? first.reason : "partial";
  throw new DeliveryError(`${faults.length} of the documents were refused`, {
    reason,
    retryable: dead.length < faults.length,
    failed,
    dead: dead.toSorted((a, b) => a - b),
  });
};
