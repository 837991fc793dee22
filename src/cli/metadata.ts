import { parseArgs } from "node:util";
import { printable, printableLines } from "../sdk/printable.ts";
import { type Ask, askHub, hubOptions, Refused, readToken } from "./ask-hub.ts";
import { type Command, type CommandIo, UsageError } from "./command.ts";
import { rbacYaml } from "./metadata-rbac.ts";
import {
  describeObject,
  describePod,
  describeState,
  type PodAnswer,
  type Shown,
  type StateAnswer,
} from "./metadata-text.ts";

const pageObjects = 500;

/**
 * `eyrie metadata [list|get pod NAME] [--kind K] [-n NS] [--uid UID] [--limit N] [--json] [--url URL] [--token-file F]` asks the
 * running hub what it knows of its cluster, and without an action how it comes to know it;
 * `eyrie metadata rbac [-n NS] [--service-account NAME] [--nodes]` asks nobody and prints what Kubernetes must allow the hub.
 */
export const metadata: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      kind: { type: "string" },
      namespace: { type: "string", short: "n" },
      uid: { type: "string" },
      limit: { type: "string", default: "1000" },
      "service-account": { type: "string", default: "eyrie" },
      nodes: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      ...hubOptions,
    },
  });
  const [action = "age", ...more] = positionals;
  const limit = Number(values.limit);
  if (!Number.isSafeInteger(limit) || limit < 1) throw new UsageError("--limit is a whole number from 1");
  const { kind, namespace, uid, json } = values;
  if (action === "rbac" && more.length === 0) {
    const account = values["service-account"];
    io.stdout.write(rbacYaml({ namespace: namespace ?? "eyrie", account, nodesOnly: values.nodes }));
    return 0;
  }
  const work = workOf(action, more, { kind, namespace, uid, limit });
  try {
    return await work(io, askHub(values.url, readToken(io, values["token-file"])), json);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 1;
  }
};

type Work = (io: CommandIo, ask: Ask, json: boolean) => Promise<number>;

interface Given {
  readonly kind: string | undefined;
  readonly namespace: string | undefined;
  readonly uid: string | undefined;
  readonly limit: number;
}

const workOf = (action: string, more: readonly string[], { kind, namespace, uid, limit }: Given): Work => {
  if (action === "age" && more.length === 0) return age;
  if (action === "list" && more.length === 0) return list({ kind, namespace }, limit);
  const [what, name, ...rest] = more;
  if (action !== "get" || rest.length > 0)
    throw new UsageError("metadata knows age, list, rbac and get pod NAME -n NAMESPACE");
  if (what !== "pod" || (uid === undefined) === (name === undefined || namespace === undefined))
    throw new UsageError("get needs pod NAME -n NAMESPACE, or pod --uid UID");
  return get(uid === undefined ? { namespace, name } : { uid });
};

const age: Work = async (io, ask, json) => {
  const answer = await ask("/api/v1/metadata");
  io.stdout.write(json ? printableLines(answer) : describeState(JSON.parse(answer) as StateAnswer));
  return 0;
};

const get =
  (asked: Readonly<Record<string, string | undefined>>): Work =>
  async (io, ask, json) => {
    const answer = await ask(`/api/v1/metadata/pod?${queryOf(asked)}`);
    io.stdout.write(json ? printableLines(answer) : describePod(JSON.parse(answer) as PodAnswer));
    return 0;
  };

/** With `json` a line for each object. */
const list =
  (asked: Readonly<Record<string, string | undefined>>, limit: number): Work =>
  async (io, ask, json) => {
    let shown = 0;
    let next: string | undefined;
    do {
      const size = String(Math.min(limit - shown, pageObjects));
      const text = await ask(`/api/v1/metadata/objects?${queryOf({ ...asked, after: next, limit: size })}`);
      const page = JSON.parse(text) as { readonly objects: readonly Shown[]; readonly next?: string };
      for (const object of page.objects)
        io.stdout.write(json ? `${printable(JSON.stringify(object))}\n` : describeObject(object));
      shown += page.objects.length;
      next = page.next;
    } while (next !== undefined && shown < limit);
    if (next !== undefined) io.stderr.write(`and more: --limit ${limit * 10}\n`);
    else if (shown === 0) io.stderr.write("no such objects are known\n");
    return 0;
  };

const queryOf = (asked: Readonly<Record<string, string | undefined>>): URLSearchParams =>
  new URLSearchParams(Object.entries(asked).filter((pair): pair is [string, string] => pair[1] !== undefined));
