import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { type CredentialParts, followCredentials } from "./credentials.ts";
import type { ListenerTls } from "./listener.ts";

export interface CertificateFiles {
  readonly certfile: string;
  readonly keyfile: string;
  /** Empty: clients need no certificate. */
  readonly cacertfile: string;
}

export interface Certificates {
  readonly tls: ListenerTls;
  /** Hands over new contents of the files when they can be used. */
  follow(parts: CredentialParts, use: (tls: ListenerTls) => void): { close(): void };
}

/** Rejects with the key and the system's code (`tlsserver.keyfile cannot be read: ENOENT`). */
export const openCertificates = async (files: CertificateFiles): Promise<Certificates> => {
  const names = [files.certfile, files.keyfile, files.cacertfile].filter((name) => name !== "");
  return {
    tls: await read(files),
    follow: (parts, use) =>
      followCredentials(names, "the server's certificate", parts, async () => {
        const tls = await read(files);
        createSecureContext(tls);
        use(tls);
      }),
  };
};

const read = async (files: CertificateFiles): Promise<ListenerTls> => {
  const one = (key: keyof CertificateFiles): Promise<string> =>
    readFile(files[key], "utf8").catch((error: NodeJS.ErrnoException) => {
      throw new Error(`tlsserver.${key} cannot be read: ${error.code}`);
    });
  const [cert, key, ca] = await Promise.all([
    one("certfile"),
    one("keyfile"),
    files.cacertfile === "" ? undefined : one("cacertfile"),
  ]);
  // Without an authority in it every client would be let in.
  if (ca !== undefined && !ca.includes("-----BEGIN CERTIFICATE-----"))
    throw new Error("tlsserver.cacertfile holds no certificate");
  return { cert, key, ...(ca !== undefined && { ca }) };
};
