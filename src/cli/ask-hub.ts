import { readFileSync } from "node:fs";
import { globalFields } from "../config/globals.ts";
import { printable } from "../sdk/printable.ts";
import { type CommandIo, UsageError } from "./command.ts";

/** How a command finds the running hub, for `parseArgs`. */
export const hubOptions = {
  url: { type: "string", default: `http://127.0.0.1:${globalFields.listenport.parse(undefined)}` },
  "token-file": { type: "string" },
} as const;

/** One request to the hub: the answer's JSON text. Throws Refused. */
export type Ask = (path: string, body?: unknown) => Promise<string>;

/** What a running hub, or the way to it, has against the request; printed, exit code 1. */
export class Refused extends Error {
  override readonly name = "Refused";
  /** Of the hub's answer; absent: there was none. */
  readonly status: number | undefined;
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** From the file, else from OPERATORS_TOKEN or AUTH_TOKEN as the hub itself does. Throws Refused. */
export const readToken = (io: CommandIo, file: string | undefined): string => {
  const name = io.env.OPERATORS_TOKEN || io.env.OPERATORS_TOKEN_FILE ? "OPERATORS_TOKEN" : "AUTH_TOKEN";
  const path = file ?? (io.env[name] ? undefined : io.env[`${name}_FILE`]);
  if (!path) return io.env[name] ?? "";
  const token = textOf(path);
  if (token === "") throw new Refused(`the token file ${path} is empty`);
  return token;
};

const textOf = (path: string): string => {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    throw new Refused(`the token file ${path} cannot be read`);
  }
};

/** Moving very many letters takes its time. */
const patienceMs = 120_000;

/** Throws UsageError when `base` is no URL of a hub. */
export const askHub = (base: string, token: string): Ask => {
  if (!/^https?:$/.test(URL.parse(base)?.protocol ?? ""))
    throw new UsageError("--url is not an http:// or https:// URL");
  return async (path, body) => {
    const headers = { ...(token && { Authorization: `Bearer ${token}` }), "Content-Type": "application/json" };
    const how = body === undefined ? { headers } : { headers, method: "POST", body: JSON.stringify(body) };
    let reply: Response;
    let text: string;
    try {
      reply = await fetch(new URL(path, base), { ...how, redirect: "error", signal: AbortSignal.timeout(patienceMs) });
      text = await reply.text();
    } catch (error) {
      throw new Refused(`no answer from the hub: ${causeOf(error)}`);
    }
    if (reply.ok && isJson(reply)) return text;
    throw new Refused(`the hub refused: HTTP ${reply.status}${reasonIn(text)}`, reply.status);
  };
};

const isJson = (reply: Response): boolean => reply.headers.get("content-type")?.startsWith("application/json") ?? false;

const causeOf = (error: unknown): string => {
  const cause = (error as { cause?: { code?: unknown } }).cause;
  return typeof cause?.code === "string" ? cause.code : error instanceof Error ? error.name : "failed";
};

const reasonIn = (text: string): string => {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === "string" ? `: ${printable(error)}` : "";
  } catch {
    return "";
  }
};
