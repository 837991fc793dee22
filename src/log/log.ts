import { type Level, type Logger, pino } from "pino";
import { printableLines } from "../sdk/printable.ts";
import { createMask } from "./mask.ts";
import { prettyLine } from "./pretty.ts";

export interface LogSettings {
  /** `auto`: pretty on a terminal, JSON elsewhere. */
  readonly format: "auto" | "json" | "pretty";
  readonly level: Level | "silent";
  /** Every occurrence in a record is masked, whatever the record is. */
  readonly secrets: readonly string[];
}

export interface LogStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Bytes written and not yet read. */
  readonly writableLength?: number;
}

/** Bytes that wait for a reader, above which lines are dropped: a log that nobody reads must not fill the memory. */
const mostWaiting = 1 << 20;

/** The logger that everything is given. Records carry `level` by name and `time` in milliseconds since the epoch. */
export const createLogger = (settings: LogSettings, stream: LogStream): Logger => {
  const mask = createMask(settings.secrets);
  const pretty = settings.format === "pretty" || (settings.format === "auto" && stream.isTTY === true);
  let dropped = 0;
  return pino(
    { level: settings.level, base: null, formatters: { level: (label) => ({ level: label }) } },
    {
      write: (line: string) => {
        if ((stream.writableLength ?? 0) > mostWaiting) {
          dropped++;
          return;
        }
        const before = dropped === 0 ? "" : unread(dropped);
        dropped = 0;
        for (const text of [before, mask(line)])
          if (text !== "") stream.write(pretty ? prettyLine(text) : printableLines(text));
      },
    },
  );
};

const unread = (lines: number): string =>
  `${JSON.stringify({ level: "warn", time: Date.now(), lines, msg: "lines of the log were dropped, for nobody read them" })}\n`;
