import { createHmac } from "node:crypto";

/**
 * Headers by which a receiver knows a request for the hub's and for new. `X-Eyrie-Timestamp` is seconds since the epoch at
 * this attempt; `X-Eyrie-Signature` is `v1=` and the hex HMAC-SHA256 of `<timestamp>.<body>`, one per secret, comma
 * separated: while a secret is replaced, receivers with the old and with the new one both accept. `now` is in milliseconds.
 */
export const signedHeaders = (body: string, secrets: readonly string[], now: number): Record<string, string> => {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = secrets
    .filter((secret) => secret !== "")
    .map((secret) => `v1=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`);
  if (signatures.length === 0) return {};
  return { "X-Eyrie-Timestamp": timestamp, "X-Eyrie-Signature": signatures.join(",") };
};
