import { existsSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { DeliveryError } from "../src/sdk/errors.ts";
import { choice, text } from "../src/sdk/fields.ts";
import { type InTurn, openTurn } from "../src/sdk/in-turn.ts";
import { lineFormats, lineOf } from "../src/sdk/line.ts";
import { type Alerts, defineOutput } from "../src/sdk/output.ts";

/** By path: a pipe that nobody reads, or a server's disk that is away, holds a thread for as long as it hangs. */
const turns = new Map<string, InTurn>();

export default defineOutput({
  name: "file",
  display: "File",
  category: "storage",
  about: "Appends one line per alert to a file, on the disk before the alert counts as delivered.",
  fields: {
    filename: text("The file; it is opened for each batch, so that it may be rotated at any time."),
    format: choice(
      "`json` is the raw event, `text` a readable line, `output` the output text alone.",
      lineFormats,
      "json",
    ),
  },
  example: { filename: "/var/log/eyrie.jsonl" },
  batch: { items: 500, bytes: 5_242_880 },
  concurrency: 1,
  enabled: (config) => config.filename !== "",
  check: ({ filename }) =>
    filename.endsWith("/") || isFolder(filename) ? ["filename: is a folder, a file is needed"] : [],
  warn: ({ filename }) =>
    existsSync(dirname(filename)) ? [] : ["filename: its folder is not there: alerts wait until somebody makes it"],
  fromFalco: ({ name, values, json }) =>
    name === "file_output" ? { filename: values.filename, format: json ? "json" : "output" } : undefined,
  open: ({ filename, format }) => {
    const write = async (alerts: Alerts): Promise<void> => {
      const lines = Buffer.from(alerts.map((alert) => `${lineOf(alert, format)}\n`).join(""));
      try {
        const file = await open(filename, "a", 0o640);
        await append(file, lines).finally(() => file.close());
      } catch (error) {
        throw faultOf(error);
      }
    };
    const turn = turns.get(filename) ?? openTurn();
    turns.set(filename, turn);
    return { send: (alerts, signal) => turn(signal, () => write(alerts)) };
  },
});

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** All of it or nothing: what a full disk left of a batch is taken back, since the batch comes again. */
const append = async (file: FileHandle, lines: Buffer): Promise<void> => {
  const info = await file.stat();
  try {
    await file.appendFile(lines);
    if (info.isFile()) await file.datasync();
  } catch (error) {
    const { size } = await file.stat();
    const partly = size > info.size && size - info.size < lines.length;
    if (info.isFile() && partly) await file.truncate(info.size).catch(() => {});
    throw error;
  }
};

const faultOf = (error: unknown): DeliveryError => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "error";
  return new DeliveryError(`the file cannot be written (${code})`, { reason: "other", retryable: true });
};
