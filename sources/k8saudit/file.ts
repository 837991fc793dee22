import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { OpenSource, SourceHost } from "../../src/sdk/source.ts";
import { createFollower } from "./follow.ts";
import { createLineIntake } from "./intake.ts";
import { createLineCutter } from "./lines.ts";
import type { PayloadLimits } from "./payload.ts";

export interface FileSettings extends PayloadLimits {
  /** `-` is standard input; of a folder, its files in the order of their modification. */
  readonly path: string;
  /** Go on as the file grows, is cut or replaced. */
  readonly follow: boolean;
  /** Follow: begin at the end of the file, where no checkpoint says better. */
  readonly fromEnd: boolean;
  /** Follow: between two looks at a file that has not grown. */
  readonly pollMs: number;
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
    for await (const line of linesOf(input)) await intake.line(line);
    await intake.flush();
  } finally {
    signal.removeEventListener("abort", abort);
  }
};

/** The lines of a stream of bytes, plain or gzip, without their ends; rejects when the stream or the gzip breaks. */
export async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const lines of lineBatches(input)) yield* lines;
}

/** The lines of `linesOf`, as many at a time as a chunk of the stream completes. */
export async function* lineBatches(input: AsyncIterable<Buffer>): AsyncGenerator<readonly Buffer[]> {
  const cutter = createLineCutter();
  for await (const chunk of unzipped(input)) yield cutter.push(chunk);
  const last = cutter.end();
  if (last) yield [last];
}

/** The bytes of a stream, decompressed when they begin as gzip does. */
async function* unzipped(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = input[Symbol.asyncIterator]();
  const head = await firstBytes(chunks);
  async function* all() {
    yield head;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield Buffer.from(next.value);
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) return yield* all();
  const out = new PassThrough();
  const done = pipeline(all, createGunzip(), out);
  done.catch((error: Error) => out.destroy(error));
  yield* out as AsyncIterable<Buffer>;
  await done;
}

const firstBytes = async (chunks: AsyncIterator<Buffer>): Promise<Buffer> => {
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, Buffer.from(next.value)]);
  }
  return head;
};
