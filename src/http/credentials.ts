import { statSync } from "node:fs";
import type { Logger } from "pino";

/** How often files are looked at. */
export const credentialCheckMs = 2000;

export interface CredentialParts {
  readonly everyMs: number;
  readonly log: Logger;
  /** Counts. */
  reloaded(outcome: "ok" | "error"): void;
}

/**
 * Calls `reload` when one of the files is not what it was. What it throws is said and counted: whatever becomes of the
 * files, what was read last stays in force.
 */
export const followCredentials = (
  files: readonly string[],
  what: string,
  { everyMs, log, reloaded }: CredentialParts,
  reload: () => void | Promise<void>,
): { close(): void } => {
  if (files.length === 0) return { close: () => {} };
  let seen = look(files);
  // The first time they are read again whatever they are: they may have changed between the start's reading and here.
  let first = true;
  /** What was wrong may pass without a change: tried again, and said once. */
  let failed = false;
  let busy = false;
  const check = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    const now = look(files);
    const changed = now !== seen;
    const news = changed || first;
    try {
      if (!news && !failed) return;
      seen = now;
      await reload();
      if (changed || failed) {
        reloaded("ok");
        log.info(`${what} was reloaded`);
      }
      failed = false;
    } catch (error) {
      failed = true;
      if (!news) return;
      reloaded("error");
      log.error({ err: error }, `${what} changed and cannot be used, what was read before stays in force`);
    } finally {
      first = false;
      busy = false;
    }
  };
  const timer = setInterval(check, everyMs).unref();
  return { close: () => clearInterval(timer) };
};

/** What tells one state of the files from the next. A mounted secret is replaced by a link, which no watch tells. */
const look = (files: readonly string[]): string =>
  files
    .map((name) => {
      try {
        const { mtimeMs, ctimeMs, size, ino } = statSync(name);
        return `${mtimeMs}:${ctimeMs}:${size}:${ino}`;
      } catch {
        return "none";
      }
    })
    .join(" ");
