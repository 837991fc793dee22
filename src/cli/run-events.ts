import { once } from "node:events";
import { createReadStream } from "node:fs";
import { lineBatches } from "../audit/unzip.ts";
import type { EventRules } from "../pipeline/judge/event-rules.ts";
import { createTally, jsonAlert, textAlert } from "../rules/index.ts";
import type { Incoming } from "../sdk/event.ts";
import type { EventCatalog } from "../sdk/event-catalog.ts";
import { openEvent } from "../sdk/json-event.ts";
import type { KubeLookup } from "../sdk/kubernetes.ts";
import type { CommandIo } from "./command.ts";

/** Of one event: what a string can hold. */
export const maxEventBytes = 1 << 30;
const chunkChars = 1 << 16;

/** Judges the events of files in order, prints alerts and, at the end, the summary. Resolves with the exit code. */
export const judgeFiles = async (
  files: readonly string[],
  catalog: EventCatalog,
  judge: Judge,
  io: CommandIo,
): Promise<number> => {
  // Who reads the output may stop reading (`| head`): that is no fault of the command.
  if ("on" in io.stdout) (io.stdout as NodeJS.WriteStream).on("error", () => {});
  let code = 0;
  try {
    for (const file of files) {
      if (judge.done()) break;
      if (!(await judgeFile(file, catalog, judge, io))) code = 1;
    }
    await writeOut(io, judge.take() + judge.summary());
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EPIPE") throw error;
  }
  return code;
};

/** Holds what it prints until it is taken. */
export interface Judge {
  event(incoming: Incoming): void;
  /** The alerts since the last call. */
  take(): string;
  readonly held: () => number;
  /** Event time is over. */
  readonly done: () => boolean;
  summary(): string;
}

/** `seconds`: of event time, 0: without end. `lookup`: who knows the cluster. */
export const createJudge = (rules: EventRules, seconds: number, lookup?: KubeLookup): Judge => {
  const { config } = rules.set;
  const print = config.json_output ? jsonAlert : textAlert;
  const tally = createTally(rules.set.defined);
  const limit = BigInt(seconds) * 1_000_000_000n;
  let first: bigint | undefined;
  let number = 0;
  let done = false;
  let text = "";
  return {
    event: (incoming) => {
      if (done) return;
      const event = openEvent(lookup ? { ...incoming, lookup } : incoming, ++number, Date.now());
      if (limit > 0n) {
        first ??= event.timeNs;
        if (event.timeNs - first >= limit) {
          done = true;
          return;
        }
      }
      for (const rule of rules.match(event)) {
        tally.count(rule);
        text += `${print(rule, event, rules.facts(event), config)}\n`;
      }
    },
    take: () => {
      const taken = text;
      text = "";
      return taken;
    },
    held: () => text.length,
    done: () => done,
    summary: () => tally.text(),
  };
};

/** Resolves with false when the file could not be read to its end. */
const judgeFile = async (file: string, catalog: EventCatalog, judge: Judge, io: CommandIo): Promise<boolean> => {
  const input = file === "-" ? io.stdin : createReadStream(file, { highWaterMark: 1 << 18 });
  let number = 0;
  try {
    for await (const lines of lineBatches(input as AsyncIterable<Buffer>)) {
      for (const line of lines) {
        number++;
        if (line.length === 0) continue;
        const { events, dropped } = catalog.split(line.toString(), { maxEventBytes });
        for (const { message } of dropped) io.stderr.write(`${file}:${number}: skipped: ${message}\n`);
        for (const event of events) judge.event(event);
        if (judge.held() >= chunkChars) await writeOut(io, judge.take());
        if (judge.done()) return true;
      }
    }
    return true;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "EPIPE") throw error;
    await writeOut(io, judge.take());
    io.stderr.write(`Error: ${file}: ${code === "ENOENT" ? "no such file" : messageOf(error)}\n`);
    return false;
  }
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Resolves when the text was taken; waits for a slow reader. */
export const writeOut = async ({ stdout }: CommandIo, text: string): Promise<void> => {
  if (text !== "" && stdout.write(text) === false && "once" in stdout)
    await once(stdout as unknown as NodeJS.EventEmitter, "drain");
};
