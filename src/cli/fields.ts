import { once } from "node:events";
import { createReadStream, readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { linesOf } from "../audit/unzip.ts";
import { jsonMarkdownOrTable } from "../fields/describe.ts";
import { allWithoutArgument, type Chosen, chooseFields, rowOf } from "../fields/select.ts";
import { fieldsOfKind, fieldsOfKinds, kindsOf, usualKind } from "../pipeline/judge/kinds.ts";
import type { Incoming } from "../sdk/event.ts";
import type { EventCatalog } from "../sdk/event-catalog.ts";
import { type JsonEvent, openEvent } from "../sdk/json-event.ts";
import type { KubeLookup } from "../sdk/kubernetes.ts";
import { type Command, type CommandIo, UsageError } from "./command.ts";
import { readMetadata } from "./metadata-file.ts";

const maxEventBytes = 1 << 30;
const chunkChars = 1 << 16;

/**
 * `eyrie fields`: a table of every field (`--markdown`, `--json`). `eyrie fields FILE…`: one JSON object per event with
 * every field that has a value, or with those of `--select` and `--select-file`; `-` is standard input. `--source` names
 * the kind of events as rules do; without it audit events are meant. `--metadata` is a recorded stream of a collector, for
 * the fields of the cluster.
 */
export const fields: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: "boolean", short: "l" },
      markdown: { type: "boolean" },
      json: { type: "boolean" },
      select: { type: "string", multiple: true },
      "select-file": { type: "string", multiple: true },
      source: { type: "string" },
      metadata: { type: "string" },
    },
  });
  // Who reads the output may stop reading (`| head`): that is no fault of the command.
  if ("on" in io.stdout) (io.stdout as NodeJS.WriteStream).on("error", () => {});
  const kinds = kindsOf(io.sources);
  const named = kinds.find(({ catalog }) => catalog.source === values.source);
  if (values.source !== undefined && !named)
    throw new UsageError(
      `no source "${values.source}"; there are ${kinds.map(({ catalog }) => catalog.source).join(", ")}`,
    );
  if (values.list || positionals.length === 0) {
    if (values.select || values["select-file"])
      throw new UsageError("--select needs a file of events (- is standard input)");
    const listed = named ? fieldsOfKind(named) : fieldsOfKinds(kinds);
    io.stdout.write(jsonMarkdownOrTable(listed, values.json ? "json" : values.markdown ? "markdown" : "table"));
    return 0;
  }
  const kind = named ?? usualKind(kinds);
  if (!kind) throw new UsageError("there is no source of events");
  const known = fieldsOfKind(kind, () => -new Date().getTimezoneOffset());
  const spelled = [
    ...(values.select ?? []).flatMap(splitList),
    ...(values["select-file"] ?? []).flatMap((file) => linesIn(file)),
  ];
  const chosen = spelled.length > 0 ? chooseFields(spelled, known) : allWithoutArgument(known);
  if ("fault" in chosen) throw new UsageError(chosen.fault);
  let code = 0;
  const counter = { events: 0 };
  const lookup = values.metadata === undefined ? undefined : await metadataOf(values.metadata, io);
  const open = (event: Incoming): JsonEvent =>
    openEvent(lookup ? { ...event, lookup } : event, ++counter.events, Date.now());
  for (const file of positionals) if (!(await extract(file, kind.catalog, chosen, open, io))) code = 1;
  return code;
};

const metadataOf = (file: string, io: CommandIo): Promise<KubeLookup> =>
  readMetadata(file, io).catch(() => {
    throw new UsageError(`cannot read ${basename(file)}`);
  });

/** Items between commas, but not those inside brackets. */
const splitList = (text: string): readonly string[] =>
  Array.from(text.matchAll(/(?:\[[^\]]*\]|[^,[])+/g), ([item]) => item.trim()).filter((item) => item !== "");

const linesIn = (file: string): readonly string[] => {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
  } catch {
    throw new UsageError(`cannot read ${basename(file)}`);
  }
};

/** Resolves with false when the file could not be read to its end. */
const extract = async (
  file: string,
  catalog: EventCatalog,
  chosen: Chosen,
  open: (event: Incoming) => JsonEvent,
  io: CommandIo,
): Promise<boolean> => {
  const input = file === "-" ? io.stdin : createReadStream(file);
  let number = 0;
  let out = "";
  try {
    for await (const line of linesOf(input as AsyncIterable<Buffer>)) {
      number++;
      if (line.length === 0) continue;
      const { events, dropped } = catalog.split(line.toString(), { maxEventBytes });
      for (const { message } of dropped) io.stderr.write(`${file}:${number}: ${message}\n`);
      for (const event of events) out += `${rowOf(chosen, open(event))}\n`;
      if (out.length >= chunkChars) {
        await write(io.stdout, out);
        out = "";
      }
    }
    await write(io.stdout, out);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === "EPIPE") return true;
    io.stderr.write(`eyrie: ${file}: ${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  }
};

const write = async (to: CommandIo["stdout"], text: string): Promise<void> => {
  if (text !== "" && to.write(text) === false && "once" in to)
    await once(to as unknown as NodeJS.EventEmitter, "drain");
};
