import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { DeliveryError } from "../sdk/errors.ts";
import type { TlsMaterial } from "../sdk/output.ts";

let roots: readonly string[] | undefined;

/** The roots Node ships, those of the system (an image with a company's CA), and a private CA, as PEM texts. */
export const trusted = (ca: string | undefined): string[] => {
  roots ??= [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
  return ca === undefined ? [...roots] : [...roots, ca];
};

/** One context for all connections of a destination: reading the roots takes milliseconds. */
export const secureContext = (tls: TlsMaterial): SecureContext => {
  try {
    return createSecureContext({
      minVersion: "TLSv1.2",
      ca: trusted(tls.ca),
      ...(tls.cert !== undefined && { cert: tls.cert }),
      ...(tls.key !== undefined && { key: tls.key }),
    });
  } catch {
    throw new DeliveryError("the configured certificate, key or CA cannot be read", { reason: "tls", retryable: true });
  }
};

/** What an output's own client is lent: a private CA comes joined to the usual roots, which it would else replace. */
export const clientTls = (tls: TlsMaterial): TlsMaterial => ({
  rejectUnauthorized: tls.rejectUnauthorized,
  ...(tls.ca !== undefined && { ca: trusted(tls.ca).join("\n") }),
  ...(tls.cert !== undefined && { cert: tls.cert }),
  ...(tls.key !== undefined && { key: tls.key }),
});
