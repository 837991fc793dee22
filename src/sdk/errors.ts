/** Why a delivery failed: a closed list that is also the metric label. */
export const reasons = [
  "client_error",
  "server_error",
  "auth_error",
  "not_found",
  "too_large",
  "invalid",
  "rate_limited",
  "timeout",
  "network",
  "tls",
  "redirect",
  "partial",
  "bad_reply",
  "config",
  "bug",
  "other",
] as const;
/** One of `reasons`. */
export type Reason = (typeof reasons)[number];

/** What a failed delivery means for each of its alerts. */
export interface DeliveryFault {
  readonly reason: Reason;
  /** False: sending the same again can never succeed, the alert is a dead letter. */
  readonly retryable: boolean;
  /** The destination's own wait, in milliseconds: a floor under the backoff. */
  readonly retryAfterMs?: number;
  /** Indexes of the alerts that failed; absent: all. The others were taken. */
  readonly failed?: readonly number[];
  /** Indexes (subset of failed) that can never succeed, whatever `retryable` says. */
  readonly dead?: readonly number[];
  /** Indexes (subset of failed) that others need not wait for where an order is kept: they alone are held up. */
  readonly aside?: readonly number[];
}

/** The one error a Sender throws. The message holds no URL, key or body. */
export class DeliveryError extends Error {
  override readonly name = "DeliveryError";
  readonly fault: DeliveryFault;
  /**
   * The destination's own words, for all alerts or by the index of each that failed: one line (`src/sdk/words.ts`), shown
   * behind the message once delivery has masked the secrets in it.
   */
  readonly said: string | ReadonlyMap<number, string>;
  /** HTTP status of the answer, where there was one. */
  readonly status: number | undefined;
  constructor(
    message: string,
    fault: DeliveryFault,
    said: string | ReadonlyMap<number, string> = "",
    status: number | undefined = undefined,
  ) {
    super(message);
    this.fault = fault;
    this.said = said;
    this.status = status;
  }
}
