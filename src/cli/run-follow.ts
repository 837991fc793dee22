import { pino } from "pino";
import { followFault } from "../../sources/k8saudit/file.ts";
import { createFollower } from "../../sources/k8saudit/follow.ts";
import type { AuditRules } from "../pipeline/judge/audit-rules.ts";
import type { CommandIo } from "./command.ts";
import { createJudge, maxEventBytes, writeOut } from "./run-events.ts";

const pollMs = 250;

/**
 * Judges the events of a file from its start and as it grows, is cut or replaced. Ends at SIGINT or SIGTERM, when event
 * time is over or nobody reads the output; then prints the summary. Resolves with the exit code.
 */
export const judgeFollowed = async (
  file: string,
  rules: AuditRules,
  seconds: number,
  io: CommandIo,
): Promise<number> => {
  const fault = followFault(file);
  if (fault !== undefined) {
    io.stderr.write(`Error: ${file}: ${fault}\n`);
    return 1;
  }
  const judge = createJudge(rules, seconds);
  const stop = new AbortController();
  const end = (): void => stop.abort();
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, end);
  if ("on" in io.stdout) (io.stdout as NodeJS.WriteStream).on("error", end);
  const host = {
    push: async (events: Parameters<typeof judge.event>[0][]) => {
      for (const event of events) judge.event(event);
      await writeOut(io, judge.take()).catch(end);
      if (judge.done()) end();
    },
    checkpoint: { get: async () => undefined, set: async () => {} },
    log: pino({ base: null, timestamp: false }, { write: (line) => void io.stderr.write(plain(line)) }),
  };
  try {
    const limits = { maxEventBytes };
    await createFollower({ path: file, fromEnd: false, pollMs, ...limits }, host, stop.signal, () => {});
  } catch (error) {
    if (!stop.signal.aborted) {
      io.stderr.write(`Error: ${file}: ${error instanceof Error ? error.message : String(error)}\n`);
      return 1;
    }
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
  await writeOut(io, judge.take() + judge.summary()).catch(() => {});
  return 0;
};

/** A line of the log as the command says such things. */
const plain = (text: string): string => {
  const { file, line, msg } = JSON.parse(text) as { file: string; line?: number; msg: string };
  return `${file}${line === undefined ? "" : `:${line}`}: ${msg}\n`;
};
