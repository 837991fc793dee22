import { pino } from "pino";
import type { Incoming } from "../sdk/event.ts";
import type { AnySource, SourceHost } from "../sdk/source.ts";
import type { CommandIo } from "./command.ts";
import { type Judge, maxEventBytes, writeOut } from "./run-events.ts";
import { valuesOf } from "./source-values.ts";

/**
 * Judges the events of a file from its start and as it grows, is cut or replaced; `source` is one that follows files. Ends
 * at SIGINT or SIGTERM, when event time is over or nobody reads the output; then prints the summary. Resolves with the
 * exit code.
 */
export const judgeFollowed = async (file: string, source: AnySource, judge: Judge, io: CommandIo): Promise<number> => {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, end);
  if ("on" in io.stdout) (io.stdout as NodeJS.WriteStream).on("error", end);
  const host = {
    ...noHub,
    push: async (events: readonly Incoming[]) => {
      for (const event of events) judge.event(event);
      await writeOut(io, judge.take()).catch(end);
      if (judge.done()) end();
    },
    log: pino({ base: null, timestamp: false }, { write: (line) => void io.stderr.write(plain(line)) }),
  };
  try {
    const wanted = source.following?.(file, { maxEventBytes }) ?? {};
    const open = await source.open(valuesOf(source.fields, wanted), host);
    const aborted = new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve()));
    await Promise.race([open.ended ?? aborted, stop.signal.aborted ? undefined : aborted]);
    await open.close();
  } catch (error) {
    if (!stop.signal.aborted) {
      io.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
      return 1;
    }
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
  await writeOut(io, judge.take() + judge.summary()).catch(() => {});
  return 0;
};

const refused = (what: string) => (): Promise<never> => Promise.reject(new Error(`${what} needs a hub`));

/** What a hub would lend; here nothing is kept. */
const noHub: Omit<SourceHost, "push" | "log"> = {
  listen: refused("a listener"),
  alerts: refused("a source of alerts"),
  lease: () => {
    throw new Error("a lease needs a hub");
  },
  checkpoint: { get: async () => undefined, set: async () => {} },
  follow: () => ({ close: () => {} }),
  followSecrets: () => ({ close: () => {} }),
  now: Date.now,
};

/** A line of the log as the command says such things. */
const plain = (text: string): string => {
  const { file, line, msg } = JSON.parse(text) as { file: string; line?: number; msg: string };
  return `${file}${line === undefined ? "" : `:${line}`}: ${msg}\n`;
};
