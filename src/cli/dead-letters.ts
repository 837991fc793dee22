import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { printable, printableLines } from "../sdk/printable.ts";
import { type Ask, askHub, hubOptions, Refused, readToken } from "./ask-hub.ts";
import { type Command, type CommandIo, UsageError } from "./command.ts";

interface Letter {
  readonly id: string;
  readonly lane: string;
  readonly output?: string;
  readonly why: string;
  readonly diedAt: string;
  readonly count: number;
  readonly alerts: readonly { readonly rule?: string; readonly priority?: string; readonly output?: string }[];
}

interface Page {
  readonly deadLetters: readonly Letter[];
  readonly next?: string;
}

type Kind = "redrive" | "discard";

/** One that goes on in the hub. */
interface Move {
  readonly id: string;
  readonly state: "running" | "done" | "cancelled" | "failed";
  readonly letters: number;
  readonly error?: string;
}

const progressMs = 1000;

/**
 * `eyrie dead-letters [list|redrive|cancel|discard] [--output ID] [--id ID]… [--limit N] [--json] [--url URL] [--token-file F]`
 * asks the running hub. The token is read from the file, else from OPERATORS_TOKEN or AUTH_TOKEN as the hub itself does.
 */
export const deadLetters: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      output: { type: "string" },
      lane: { type: "string" },
      id: { type: "string", multiple: true },
      limit: { type: "string", default: "100" },
      json: { type: "boolean" },
      ...hubOptions,
    },
  });
  const [action = "list", ...more] = positionals;
  if (more.length > 0 || !["list", "redrive", "cancel", "discard"].includes(action)) {
    throw new UsageError("dead-letters knows list, redrive, cancel and discard");
  }
  if (action !== "list" && (values.output === undefined) === (values.lane === undefined)) {
    throw new UsageError(`${action} needs --output ID (or --lane NAME)`);
  }
  const limit = Number(values.limit);
  if (!Number.isSafeInteger(limit) || limit < 1) throw new UsageError("--limit is a whole number from 1");
  try {
    const ask = askHub(values.url, readToken(io, values["token-file"]));
    const { output, lane, id: ids } = values;
    if (action === "list") return await list(io, ask, { output, lane }, limit, values.json ?? false);
    if (action === "cancel") return await cancel(io, ask, { output, lane }, values.json ?? false);
    const kind = action === "redrive" ? "redrive" : "discard";
    const answer = await ask(`/api/v1/dead-letters/${kind}`, { output, lane, ids });
    const { letters, [kind]: move } = JSON.parse(answer) as { letters: number } & Partial<Record<Kind, Move>>;
    if (move) return await follow(io, ask, kind, move, values.json ?? false);
    io.stdout.write(values.json ? answer : `${counted(letters)} ${done[kind]}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 1;
  }
};

const counted = (letters: number): string => `${letters} dead ${letters === 1 ? "letter" : "letters"}`;

const done = { redrive: "sent again", discard: "discarded" } as const;

/** Stops what the hub does to the letters of an output, whichever it is. */
const cancel = async (io: CommandIo, ask: Ask, choice: object, json: boolean): Promise<number> => {
  const stop = async (kind: Kind) => {
    const answer = await ask(`/api/v1/dead-letters/${kind}/cancel`, choice);
    const { [kind]: move } = JSON.parse(answer) as Partial<Record<Kind, Move>>;
    io.stdout.write(json ? answer : `cancelled; ${counted(move?.letters ?? 0)} ${done[kind]} before\n`);
    return 0;
  };
  try {
    return await stop("redrive");
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) throw error;
    return stop("discard");
  }
};

/** Says how far the hub is until it is done; the hub goes on without us. */
const follow = async (io: CommandIo, ask: Ask, kind: Kind, { id }: Move, json: boolean): Promise<number> => {
  for (;;) {
    const answer = JSON.parse(await ask(`/api/v1/dead-letters/${kind}s`)) as Record<string, readonly Move[]>;
    const found = answer[`${kind}s`]?.find((move) => move.id === id);
    if (!found) throw new Refused(`the hub was started anew: what was not ${done[kind]} is a dead letter still`);
    if (found.state !== "running") {
      const early = found.state === "done" ? "" : `; ${found.state}${found.error ? `: ${printable(found.error)}` : ""}`;
      io.stdout.write(json ? `${JSON.stringify(found)}\n` : `${counted(found.letters)} ${done[kind]}${early}\n`);
      return found.state === "failed" ? 1 : 0;
    }
    io.stderr.write(`${found.letters} ${done[kind]} so far\n`);
    await sleep(progressMs);
  }
};

const list = async (
  io: CommandIo,
  ask: Ask,
  choice: { readonly output: string | undefined; readonly lane: string | undefined },
  limit: number,
  json: boolean,
): Promise<number> => {
  let shown = 0;
  let next: string | undefined;
  do {
    const query = Object.entries({ ...choice, after: next, limit: String(Math.min(limit - shown, 100)) });
    const given = query.filter((pair): pair is [string, string] => pair[1] !== undefined);
    const text = await ask(`/api/v1/dead-letters?${new URLSearchParams(given)}`);
    const page = JSON.parse(text) as Page;
    if (json) io.stdout.write(printableLines(text));
    else for (const letter of page.deadLetters) io.stdout.write(describe(letter));
    shown += page.deadLetters.length;
    next = page.next;
  } while (next !== undefined && shown < limit);
  if (json) return 0;
  if (shown === 0) io.stdout.write("no dead letters\n");
  if (next !== undefined) io.stdout.write(`and more: --limit ${limit * 10}\n`);
  return 0;
};

const shownAlerts = 5;

const describe = ({ id, output, lane, why, diedAt, count, alerts }: Letter): string => {
  const head = `${diedAt}  ${output ?? lane}  ${count} ${count === 1 ? "alert" : "alerts"}  ${why}`;
  const lines = alerts.slice(0, shownAlerts).map((a) => `${a.priority}  ${a.rule}: ${a.output}`);
  const rest = alerts.length > shownAlerts ? [`and ${alerts.length - shownAlerts} more`] : [];
  return `${[head, `  id ${id}`, ...[...lines, ...rest].map((l) => `  ${l}`)].map(printable).join("\n")}\n`;
};
