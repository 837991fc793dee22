import type { Refusal } from "./errors.ts";

/** Why a handshake failed, in words that hold nothing of what the client sent. */
export const tlsFault = (
  error: Error & { code?: string },
  socket: { readonly authorizationError?: unknown },
): { readonly refusal: Refusal; readonly why: string } => {
  // A certificate that does not verify ends the connection without an error of its own.
  const found = typeof socket.authorizationError === "string" ? socket.authorizationError : error.code;
  const code = found !== undefined && /^[A-Z0-9_]{1,80}$/.test(found) ? found : "unknown";
  if (code === "ERR_SSL_HTTP_REQUEST") return { refusal: "plain_http", why: "plain HTTP on a TLS port" };
  if (code === "ECONNRESET") return { refusal: "tls", why: "the connection ended within the TLS handshake" };
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") return { refusal: "tls", why: "the TLS handshake took too long" };
  return certificate.test(code)
    ? { refusal: "client_certificate", why: `client certificate: ${code}` }
    : { refusal: "tls", why: `TLS handshake: ${code}` };
};

/** OpenSSL's names for certificates that are absent or that cannot be verified. */
const certificate = /CERT|PEER_DID_NOT_RETURN|UNKNOWN_CA|ISSUER|LEAF_SIGNATURE|INVALID_PURPOSE|CHAIN/;
