import { readFile, stat } from "node:fs/promises";
import type { Logger } from "pino";
import type { ListenerTls } from "./listener.ts";

export interface CertificateFiles {
  readonly certfile: string;
  readonly keyfile: string;
  /** Empty: clients need no certificate. */
  readonly cacertfile: string;
}

/** Rejects with the key and the system's code (`tlsserver.keyfile: ENOENT`). */
export const readCertificates = async (files: CertificateFiles): Promise<ListenerTls> => {
  const read = (key: keyof CertificateFiles): Promise<string> =>
    readFile(files[key], "utf8").catch((error: NodeJS.ErrnoException) => {
      throw new Error(`tlsserver.${key} cannot be read: ${error.code}`);
    });
  const [cert, key, ca] = await Promise.all([
    read("certfile"),
    read("keyfile"),
    files.cacertfile === "" ? undefined : read("cacertfile"),
  ]);
  return { cert, key, ...(ca !== undefined && { ca }) };
};

/**
 * Looks at the files every `everyMs` (a mounted secret is replaced by a link, which no watch tells) and hands over new
 * contents. A set that cannot be read or used is logged, and the one before it stays.
 */
export const followCertificates = (
  files: CertificateFiles,
  everyMs: number,
  log: Logger,
  use: (tls: ListenerTls) => void,
): { close(): void } => {
  const look = async (): Promise<string> => {
    const names = [files.certfile, files.keyfile, files.cacertfile].filter((name) => name !== "");
    const found = await Promise.all(names.map((name) => stat(name).catch(() => undefined)));
    return found.map((s) => (s ? `${s.mtimeMs}:${s.size}:${s.ino}` : "none")).join(" ");
  };
  let seen: string | undefined;
  let busy = false;
  const check = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      const now = await look();
      if (seen !== undefined && now !== seen) {
        use(await readCertificates(files));
        log.info("the server's certificate was reloaded");
      }
      seen = now;
    } catch (error) {
      log.warn({ err: error }, "the server's new certificate cannot be used, the old one stays");
      seen = await look();
    } finally {
      busy = false;
    }
  };
  void check();
  const timer = setInterval(check, everyMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
};
