import { closeSync, createReadStream, openSync, readSync, type Stats, statSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createLineIntake, maxLineBytes } from "../../src/audit/line-intake.ts";
import type { PayloadLimits } from "../../src/audit/payload.ts";
import { isGzip, linesOf } from "../../src/audit/unzip.ts";
import type { OpenSource, SourceHost } from "../../src/sdk/source.ts";
import { createFollower, type FollowSettings } from "./follow.ts";

export interface FileSettings extends FollowSettings {
  /** `-` is standard input; of a folder, its files in the order of their modification. */
  readonly path: string;
  /** Go on as the file grows, is cut or replaced. */
  readonly follow: boolean;
}

/** Reads JSON lines, plain or gzip. Ends by itself at the end of the file, unless it follows it. */
export const openFile = async (settings: FileSettings, host: SourceHost, stdin: Readable): Promise<OpenSource> => {
  const stop = new AbortController();
  const positioned = Promise.withResolvers<void>();
  const run = async (): Promise<void> => {
    if (settings.follow && settings.path !== "-")
      return createFollower(settings, host, stop.signal, positioned.resolve);
    for (const path of await pathsOf(settings.path)) {
      await readLines(path === "-" ? stdin : createReadStream(path), path, settings, host, stop.signal);
    }
  };
  if (settings.path !== "-" && !settings.follow) await stat(settings.path);
  const fault = settings.follow ? followFault(settings.path) : undefined;
  if (fault !== undefined) throw new Error(`${settings.path}: ${fault}`);
  const ended = run().catch((error: unknown) => {
    if (stop.signal.aborted) return;
    host.log.error(
      { file: settings.path, code: (error as { code?: unknown }).code },
      `reading stopped: ${message(error)}`,
    );
  });
  if (settings.follow) await Promise.race([positioned.promise, ended]);
  return {
    ended,
    close: async () => {
      stop.abort();
      await ended;
    },
  };
};

/** Why the file cannot be followed; one that is not there can. */
export const followFault = (path: string): string | undefined => {
  if (path === "-") return undefined;
  const found = statOf(path);
  if (!found) return undefined;
  if (found.isFile())
    return isGzip(headOf(path)) ? "a compressed file cannot be followed: nothing is appended to it" : undefined;
  return found.isDirectory()
    ? "a folder cannot be followed: name the file that is written to, its rotated ones are found"
    : "only a regular file can be followed";
};

const headOf = (path: string): Buffer => {
  const head = Buffer.alloc(2);
  try {
    const file = openSync(path, "r");
    readSync(file, head);
    closeSync(file);
  } catch {
    // The follower says so.
  }
  return head;
};

const statOf = (path: string): Stats | undefined => {
  try {
    return statSync(path);
  } catch {
    // Not there, or not to be looked at: the follower says so and waits.
    return undefined;
  }
};

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const pathsOf = async (path: string): Promise<readonly string[]> => {
  if (path === "-" || !(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const files = await Promise.all(
    entries
      .filter((entry) => !entry.isDirectory())
      .map(async ({ name }) => ({ path: join(path, name), at: (await stat(join(path, name))).mtimeMs })),
  );
  return files.sort((a, b) => a.at - b.at).map((file) => file.path);
};

const readLines = async (
  input: Readable,
  file: string,
  limits: PayloadLimits,
  host: SourceHost,
  signal: AbortSignal,
): Promise<void> => {
  const intake = createLineIntake(host, limits, file, signal);
  const abort = () => input.destroy(new Error("closed"));
  signal.addEventListener("abort", abort);
  try {
    for await (const line of linesOf(input, maxLineBytes(limits))) await intake.line(line);
    await intake.flush();
  } finally {
    signal.removeEventListener("abort", abort);
  }
};
