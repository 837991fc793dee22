import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { QueueError, type Tally } from "../queue/queue.ts";
import { printable } from "../sdk/printable.ts";
import { askHub, hubOptions, Refused, readToken } from "./ask-hub.ts";
import { type Command, type CommandIo, UsageError } from "./command.ts";

/** As the hub shows it. */
interface Shown {
  readonly name: string;
  readonly bytes: number;
  readonly since: string;
  readonly reading: boolean;
  readonly saved?: Readonly<Record<string, Tally>>;
  readonly lost?: Readonly<Record<string, Tally>>;
}

interface Files {
  list(): Promise<readonly Shown[]>;
  /** Undefined: all that are read back. */
  release(names: readonly string[] | undefined): Promise<readonly Shown[]>;
  close(): void;
}

/**
 * `eyrie damaged-files [list|release] [--file NAME]… [--all] [--json] [--url URL] [--token-file F] [--dir DIR]` asks the running
 * hub, or looks itself into the queue's folder of one that is stopped.
 */
export const damagedFiles: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      file: { type: "string", multiple: true },
      all: { type: "boolean" },
      json: { type: "boolean" },
      dir: { type: "string" },
      ...hubOptions,
    },
  });
  const [action = "list", ...more] = positionals;
  if (more.length > 0 || !["list", "release"].includes(action))
    throw new UsageError("damaged-files knows list and release");
  if (action === "release" && (values.file === undefined) === (values.all !== true))
    throw new UsageError("release needs --file NAME or --all");
  try {
    const files =
      values.dir === undefined
        ? filesOfHub(values.url, readToken(io, values["token-file"]))
        : await filesIn(values.dir);
    try {
      const shown = action === "list" ? await files.list() : await files.release(values.file);
      print(io, shown, action === "list" ? "kept" : "released", values.json ?? false);
    } finally {
      files.close();
    }
    return 0;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 1;
  }
};

const filesOfHub = (url: string, token: string): Files => {
  const ask = askHub(url, token);
  return {
    list: async () => (JSON.parse(await ask("/api/v1/damaged-files")) as { files: readonly Shown[] }).files,
    release: async (names) => {
      const answer = await ask("/api/v1/damaged-files/release", names ? { files: names } : { all: true });
      return (JSON.parse(answer) as { released: readonly Shown[] }).released;
    },
    close: () => {},
  };
};

/** The folder is locked meanwhile: no hub starts on it, and a running one keeps us out. */
const filesIn = async (dir: string): Promise<Files> => {
  if (!existsSync(dir)) throw new Refused("there is no such folder");
  const { lockDirectory } = await import("../queue/sqlite/lock.ts");
  const { originalsOf } = await import("../queue/sqlite/aside.ts");
  const { queueFile } = await import("../queue/sqlite/open.ts");
  let unlock: () => void;
  try {
    unlock = lockDirectory(dir);
  } catch (error) {
    if (error instanceof QueueError) throw new Refused(`${error.message}: ask the hub itself (--url)`);
    throw error;
  }
  const originals = originalsOf(queueFile(dir));
  const list = async (): Promise<Shown[]> =>
    (await originals.list()).map(({ since, report, ...facts }) => ({
      ...facts,
      since: new Date(since).toISOString(),
      reading: report === undefined,
      ...report,
    }));
  return {
    list,
    release: async (names) => {
      const there = await list();
      const chosen = there.filter(({ name, reading }) => (names ? names.includes(name) : !reading));
      if (names && chosen.length < new Set(names).size) throw new Refused("there is no such file");
      if (chosen.some(({ reading }) => reading))
        throw new Refused("the file is not read back yet: start the hub first");
      await originals.release(chosen.map(({ name }) => name));
      return chosen;
    },
    close: unlock,
  };
};

const print = (io: CommandIo, files: readonly Shown[], done: string, json: boolean): void => {
  if (json) return void io.stdout.write(`${JSON.stringify(files)}\n`);
  if (files.length === 0) io.stdout.write(`no damaged files ${done}\n`);
  for (const file of files) io.stdout.write(describe(file));
};

const describe = ({ name, bytes, since, reading, saved = {}, lost = {} }: Shown): string => {
  const lanes = [...new Set([...Object.keys(saved), ...Object.keys(lost)])].toSorted();
  const lines = lanes.map((lane) => `${lane}: ${counted(saved[lane])} saved, ${counted(lost[lane])} lost`);
  const head = `${since}  ${name}  ${bytes} bytes${reading ? "  still to be read back" : ""}`;
  return `${[head, ...lines.map((line) => `  ${line}`)].map(printable).join("\n")}\n`;
};

const counted = ({ events, letters }: Tally = { events: 0, letters: 0 }): string =>
  `${events} events and ${letters} in dead letters`;
