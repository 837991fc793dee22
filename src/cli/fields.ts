import { once } from "node:events";
import { createReadStream, readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { auditFields } from "../audit/catalog.ts";
import { splitPayload } from "../audit/payload.ts";
import { linesOf } from "../audit/unzip.ts";
import { jsonMarkdownOrTable } from "../fields/describe.ts";
import { evtFields } from "../fields/evt.ts";
import { jsonFields } from "../fields/json.ts";
import { allWithoutArgument, type Chosen, chooseFields, rowOf } from "../fields/select.ts";
import type { Field } from "../sdk/catalog.ts";
import { type JsonEvent, openEvent } from "../sdk/json-event.ts";
import { type Command, type CommandIo, UsageError } from "./command.ts";

const maxEventBytes = 1 << 30;
const chunkChars = 1 << 16;

/**
 * `eyrie fields`: a table of every field (`--markdown`, `--json`). `eyrie fields FILE…`: one JSON object per audit event
 * with every field that has a value, or with those of `--select` and `--select-file`; `-` is standard input.
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
    },
  });
  // Who reads the output may stop reading (`| head`): that is no fault of the command.
  if ("on" in io.stdout) (io.stdout as NodeJS.WriteStream).on("error", () => {});
  const known = fieldsOfAudit();
  if (values.list || positionals.length === 0) {
    if (values.select || values["select-file"])
      throw new UsageError("--select needs a file of events (- is standard input)");
    io.stdout.write(jsonMarkdownOrTable(known, values.json ? "json" : values.markdown ? "markdown" : "table"));
    return 0;
  }
  const spelled = [
    ...(values.select ?? []).flatMap(splitList),
    ...(values["select-file"] ?? []).flatMap((file) => linesIn(file)),
  ];
  const chosen = spelled.length > 0 ? chooseFields(spelled, known) : allWithoutArgument(known);
  if ("fault" in chosen) throw new UsageError(chosen.fault);
  let code = 0;
  const counter = { events: 0 };
  for (const file of positionals) if (!(await extract(file, chosen, counter, io))) code = 1;
  return code;
};

const fieldsOfAudit = (): readonly Field<JsonEvent>[] => [
  ...auditFields.fields.values(),
  ...jsonFields,
  ...evtFields<JsonEvent>({ pluginName: "k8saudit", offsetMinutes: () => -new Date().getTimezoneOffset() }),
];

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
const extract = async (file: string, chosen: Chosen, counter: { events: number }, io: CommandIo): Promise<boolean> => {
  const input = file === "-" ? io.stdin : createReadStream(file);
  let number = 0;
  let out = "";
  try {
    for await (const line of linesOf(input as AsyncIterable<Buffer>)) {
      number++;
      if (line.length === 0) continue;
      const { events, dropped } = splitPayload(line.toString(), { maxEventBytes });
      for (const { message } of dropped) io.stderr.write(`${file}:${number}: ${message}\n`);
      for (const event of events) out += `${rowOf(chosen, openEvent(event, ++counter.events, Date.now()))}\n`;
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
