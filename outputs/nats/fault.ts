import { DeliveryError, type DeliveryFault, type Reason } from "../../src/sdk/errors.ts";
import type { AlertFault } from "../../src/sdk/failures.ts";
import { networkFault } from "../../src/sdk/network.ts";
import { oneLine } from "../../src/sdk/words.ts";

const refusals: Readonly<Record<string, DeliveryFault>> = {
  AuthorizationError: { reason: "auth_error", retryable: true },
  PermissionViolationError: { reason: "auth_error", retryable: true },
  UserAuthenticationExpiredError: { reason: "auth_error", retryable: true },
  TimeoutError: { reason: "timeout", retryable: true },
  // No stream listens to the subject, which a stream made later cures.
  JetStreamNotEnabled: { reason: "not_found", retryable: true },
  StreamNotFoundError: { reason: "not_found", retryable: true },
  // A stream that is full or has no leader.
  JetStreamApiError: { reason: "server_error", retryable: true },
  InvalidArgumentError: { reason: "config", retryable: true },
};

const tooLarge = 10054;

const faultOf = (error: unknown): Pick<DeliveryFault, "reason" | "retryable"> => {
  const { name, code } = (error ?? {}) as { name?: string; code?: unknown };
  if (name === "JetStreamApiError" && code === tooLarge) return { reason: "too_large", retryable: false };
  const { reason, retryable } = refusals[name ?? ""] ?? networkFault(error) ?? away;
  return { reason, retryable };
};

const away: DeliveryFault = { reason: "network", retryable: true };

const told: Partial<Record<Reason, string>> = {
  auth_error: "NATS refused the user",
  not_found: "no stream takes the subject",
  partial: "NATS did not take all messages",
  server_error: "the stream does not store the message",
  timeout: "NATS did not answer in time",
  too_large: "above the limit of the server or the stream",
  tls: "NATS is not trusted, or does not trust the hub",
};

/** Errors whose message is the server's, and not one of the client's, which quote addresses. */
const serversOwn = /^(AuthorizationError|PermissionViolationError|UserAuthenticationExpiredError|JetStreamApiError)$/;

/** What is told of a reason. */
export const natsMessage = (reason: Reason): string => told[reason] ?? "NATS is not reached";

/** An error of the client as the one that a sender throws. */
export const natsError = (error: unknown): DeliveryError => {
  if (error instanceof DeliveryError) return error;
  const fault = faultOf(error);
  return new DeliveryError(natsMessage(fault.reason), fault, wordsOf(error));
};

/** An error of the client that is about one alert. */
export const alertFault = (index: number, error: unknown): AlertFault => {
  const fault = error instanceof DeliveryError ? error.fault : faultOf(error);
  const words = wordsOf(error);
  const message = natsMessage(fault.reason);
  return {
    index,
    reason: fault.reason,
    retryable: fault.retryable,
    said: words === "" ? message : `${message}: ${words}`,
  };
};

const wordsOf = (error: unknown): string => {
  const { name = "", message = "" } = (error ?? {}) as { name?: string; message?: string };
  return serversOwn.test(name) ? oneLine(message) : "";
};

/** What is known before anything is sent. */
export const tooLargeForNats = (): DeliveryError =>
  new DeliveryError(natsMessage("too_large"), { reason: "too_large", retryable: false });
