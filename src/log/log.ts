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
}

/** The logger that everything is given. Records carry `level` by name and `time` in milliseconds since the epoch. */
export const createLogger = (settings: LogSettings, stream: LogStream): Logger => {
  const mask = createMask(settings.secrets);
  const pretty = settings.format === "pretty" || (settings.format === "auto" && stream.isTTY === true);
  return pino(
    { level: settings.level, base: null, formatters: { level: (label) => ({ level: label }) } },
    {
      write: (line: string) => {
        const safe = mask(line);
        stream.write(pretty ? prettyLine(safe) : printableLines(safe));
      },
    },
  );
};
