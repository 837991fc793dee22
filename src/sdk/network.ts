import type { DeliveryFault } from "./errors.ts";

/** What a connection's error means, with a message that holds no address. */
export type NetworkFault = DeliveryFault & { readonly message: string };

const timeouts = new Set([
  "ABORT_ERR",
  "ETIMEDOUT",
  "ESOCKETTIMEDOUT",
  "ESOCKET_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

const sockets = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "EACCES",
  "EPERM",
  "EMFILE",
  "ENFILE",
  "ENOENT",
  "UND_ERR_SOCKET",
  "UND_ERR_CLOSED",
  "UND_ERR_DESTROYED",
  "UND_ERR_ABORTED",
]);

/** The request itself cannot be written: a header with a line break, a method that is none. */
const unwritable = new Set([
  "UND_ERR_INVALID_ARG",
  "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
  "ERR_INVALID_CHAR",
  "ERR_INVALID_URL",
]);

const tls =
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH|EPROTO$|UND_ERR_PRX_TLS$|ERROR_IN_)/;
const garbled = /^(HPE_|UND_ERR_HEADERS_OVERFLOW$|UND_ERR_RES_|UND_ERR_INFO$)/;

/** The failure behind a socket, DNS, TLS or abort error, found by code through `cause` and AggregateError; undefined: none of them. */
export const networkFault = (error: unknown): NetworkFault | undefined => {
  for (const one of causes(error)) {
    const fault = codeFault(typeof one.code === "string" ? one.code : "") ?? nameFault(one.name);
    if (fault) return fault;
  }
  return undefined;
};

/** What a code of Node's sockets, of DNS, OpenSSL or undici means for an attempt; undefined: it is none of these. */
export const codeFault = (code: string): NetworkFault | undefined => {
  if (timeouts.has(code)) return { reason: "timeout", retryable: true, message: `timeout (${code})` };
  if (unwritable.has(code)) return { reason: "invalid", retryable: false, message: `request not sendable (${code})` };
  if (tls.test(code)) return { reason: "tls", retryable: true, message: `TLS failed (${code})` };
  if (garbled.test(code)) return notHttp;
  if (sockets.has(code)) return { reason: "network", retryable: true, message: `connection failed (${code})` };
  return undefined;
};

const notHttp: NetworkFault = { reason: "bad_reply", retryable: true, message: "the answer is not HTTP" };

const nameFault = (name: string): NetworkFault | undefined => {
  if (name === "TimeoutError" || name === "AbortError")
    return { reason: "timeout", retryable: true, message: "timeout" };
  return name === "HTTPParserError" ? notHttp : undefined;
};

/** The error, its members and its causes, at most eight deep: a cause may point back at its error. */
function* causes(error: unknown, depth = 0): Generator<Error & { code?: unknown }> {
  if (!(error instanceof Error) || depth > 8) return;
  yield error;
  if (error instanceof AggregateError) for (const member of error.errors) yield* causes(member, depth + 1);
  yield* causes(error.cause, depth + 1);
}
