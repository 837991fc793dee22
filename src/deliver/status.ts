import type { DeliveryFault, Reason } from "../sdk/errors.ts";

/** A destination that asks for more is heard up to here: an absurd header must not park a lane for a year. */
export const longestRetryAfterMs = 3_600_000;

const named: Readonly<Record<number, DeliveryFault>> = {
  401: permanent("auth_error"),
  403: permanent("auth_error"),
  404: permanent("not_found"),
  // The proxy's own refusal says nothing about the alert.
  407: transient("auth_error"),
  408: transient("timeout"),
  410: permanent("not_found"),
  413: permanent("too_large"),
  414: permanent("too_large"),
  422: permanent("invalid"),
  425: transient("server_error"),
  429: transient("rate_limited"),
  431: permanent("too_large"),
  501: permanent("server_error"),
  504: transient("timeout"),
  505: permanent("server_error"),
};

/**
 * The verdict on an HTTP status; undefined: taken. Every 2xx is (falcosidekick knows four of them and calls the others
 * lost: decisions/any-2xx-is-delivered.md). Redirects are never followed: a POST would arrive as an empty GET.
 */
export const statusFault = (status: number): DeliveryFault | undefined => {
  if (status >= 200 && status < 300) return undefined;
  const fault = named[status];
  if (fault) return fault;
  if (status >= 300 && status < 400) return permanent("redirect");
  if (status >= 400 && status < 500) return permanent("client_error");
  return transient(status >= 500 && status < 600 ? "server_error" : "bad_reply");
};

function permanent(reason: Reason): DeliveryFault {
  return { reason, retryable: false };
}

function transient(reason: Reason): DeliveryFault {
  return { reason, retryable: true };
}

/**
 * Retry-After in milliseconds, clamped to an hour; undefined: absent or unreadable. A date counts from the answer's own
 * Date header when there is one, so that two clocks that differ do no harm; `now` is milliseconds since the epoch.
 */
export const retryAfterMs = (headers: Readonly<Record<string, string>>, now: number): number | undefined => {
  const value = headers["retry-after"]?.trim();
  if (!value) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Math.min(Number(value) * 1000, longestRetryAfterMs);
  if (!/^[A-Za-z]{3,9},? /.test(value)) return undefined;
  const due = Date.parse(value);
  if (Number.isNaN(due)) return undefined;
  const sent = Date.parse(headers.date ?? "");
  return Math.min(Math.max(due - (Number.isNaN(sent) ? now : sent), 0), longestRetryAfterMs);
};
