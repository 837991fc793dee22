import { readFile, stat } from "node:fs/promises";
import type { Logger } from "pino";
import type { ListenerTls } from "./listener.ts";

export interface CertificateFiles {
  readonly certfile: string;
  readonly keyfile: string;
  /** Empty: clients need no certificate. */
  readonly cacertfile: string;
}

export interface Certificates {
  readonly tls: ListenerTls;
  /** Looks at the files every `everyMs` and hands over new contents; what cannot be read or used is logged and the old stays. */
  follow(everyMs: number, log: Logger, use: (tls: ListenerTls) => void): { close(): void };
}

/** Rejects with the key and the system's code (`tlsserver.keyfile cannot be read: ENOENT`). */
export const openCertificates = async (files: CertificateFiles): Promise<Certificates> => {
  // Always looked at before it is read: a change in between is seen the next time.
  let seen = await look(files);
  return {
    tls: await read(files),
    follow: (everyMs, log, use) => {
      let busy = false;
      const check = async (): Promise<void> => {
        if (busy) return;
        busy = true;
        const now = await look(files);
        try {
          if (now !== seen) {
            seen = now;
            use(await read(files));
            log.info("the server's certificate was reloaded");
          }
        } catch (error) {
          log.warn({ err: error }, "the server's new certificate cannot be used, the old one stays");
        } finally {
          busy = false;
        }
      };
      const timer = setInterval(check, everyMs);
      timer.unref();
      return { close: () => clearInterval(timer) };
    },
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
  return { cert, key, ...(ca !== undefined && { ca }) };
};

/** What tells one state of the files from the next. A mounted secret is replaced by a link, which no watch tells. */
const look = async (files: CertificateFiles): Promise<string> => {
  const names = [files.certfile, files.keyfile, files.cacertfile].filter((name) => name !== "");
  const found = await Promise.all(names.map((name) => stat(name).catch(() => undefined)));
  return found.map((s) => (s ? `${s.mtimeMs}:${s.size}:${s.ino}` : "none")).join(" ");
};
