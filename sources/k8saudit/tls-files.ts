import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { ListenOptions } from "../../src/sdk/source.ts";
import { pemParts } from "./pem.ts";

export interface TlsFiles {
  readonly sslcertificate: string;
  /** Empty: clients need no certificate. */
  readonly clientcafile: string;
}

/** The listener's key, certificate and client authorities. Throws with the key and what is wrong with its file. */
export const readTls = (files: TlsFiles): NonNullable<ListenOptions["tls"]> => {
  const pem = fitting("sslcertificate", pemParts(textOf("sslcertificate", files)));
  if (files.clientcafile === "") return pem;
  const ca = textOf("clientcafile", files);
  // Without an authority in it anybody would be let in.
  if (!ca.includes("-----BEGIN CERTIFICATE-----")) throw new Error("clientcafile: the file holds no certificate");
  return { ...pem, ...fitting("clientcafile", { ca }) };
};

const textOf = (key: keyof TlsFiles, files: TlsFiles): string => {
  try {
    return readFileSync(files[key], "utf8");
  } catch (error) {
    throw new Error(`${key}: the file cannot be read (${(error as NodeJS.ErrnoException).code}): ${files[key]}`);
  }
};

const fitting = <T extends object>(key: string, pem: T): T => {
  try {
    createSecureContext(pem);
    return pem;
  } catch (error) {
    throw new Error(`${key}: the file does not fit TLS (${(error as NodeJS.ErrnoException).code})`);
  }
};
