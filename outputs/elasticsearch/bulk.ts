import { DeliveryError, type Reason } from "../../src/sdk/errors.ts";
import type { AlertFault } from "../../src/sdk/failures.ts";
import { jsonWords, oneLine } from "../../src/sdk/words.ts";
import { refusedFields, withoutValues } from "./refused-fields.ts";

/** A document that was refused. `fields` are paths within `output_fields` that the index refused, `said` why, in its words. */
export interface ItemFault extends AlertFault {
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
