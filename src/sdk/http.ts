import { goJson } from "./alert.ts";
import { DeliveryError, type DeliveryFault } from "./errors.ts";

const methods = ["POST", "PUT", "GET", "PATCH", "DELETE"] as const;
/** A method that an output may send. */
export type Method = (typeof methods)[number];
/** Whether a configured text is one of them; upper case only. */
export const isMethod = (text: string): text is Method => (methods as readonly string[]).includes(text);

/** What an HTTP output asks the engine to send. Connection handling, TLS, proxies, timeouts and status codes are the engine's. */
export interface HttpRequest {
  readonly method?: Method;
  /** Absolute URL, http or https. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Bytes of the answer that are needed; absent: `answerBytes`. What is beyond is not read. */
  readonly keep?: number;
}

/** Of an answer whose request does not say how much it needs. */
export const answerBytes = 65_536;

/** A destination's answer, read as far as the request wanted. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Its beginning, when it is longer than the request wanted. */
  readonly body: string;
}

/** A DeliveryError that an answer gave cause to, for outputs that read what it says. */
export class HttpRefusal extends DeliveryError {
  readonly reply: HttpReply;
  constructor(message: string, fault: DeliveryFault, said: string, reply: HttpReply) {
    super(message, fault, said, reply.status);
    this.reply = reply;
  }
}

/** One attempt; throws HttpRefusal for an answer that is no success, another DeliveryError when no acceptable answer came (status table: src/deliver/status.ts). */
export type HttpCall = (request: HttpRequest, signal: AbortSignal) => Promise<HttpReply>;

/** falcosidekick's standard headers, overridable by an output's own. */
export const jsonHeaders = {
  "Content-Type": "application/json; charset=utf-8",
  "User-Agent": "Falcosidekick",
} as const;

type Headers = Readonly<Record<string, string>>;

/** Joins headers case-insensitively; later ones win and keep their spelling. */
export const mergeHeaders = (...sets: readonly Headers[]): Headers => {
  // Mostly a configuration adds none, and the standard ones stay the same object (bench/README.md, `sqlite-1`: headers by identity).
  if (sets.length === 2 && sets[0] === jsonHeaders && isEmpty(sets[1])) return jsonHeaders;
  const byKey = new Map<string, [string, string]>();
  for (const set of sets) for (const [k, v] of Object.entries(set)) byKey.set(k.toLowerCase(), [k, v]);
  return Object.fromEntries(byKey.values());
};

const isEmpty = (headers: Headers | undefined): boolean => {
  for (const _ in headers) return false;
  return true;
};

/** A POST of compact JSON with falcosidekick's headers and its closing newline. */
export const postJson = (url: string, payload: unknown, headers?: Headers): HttpRequest => ({
  url,
  headers: headers ? mergeHeaders(jsonHeaders, headers) : jsonHeaders,
  body: goJson(payload) + "\n",
});

/** The value of an Authorization header. */
export const basicAuth = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

/** Adds a path to a base URL that may or may not end in a slash. */
export const joinUrl = (base: string, path: string): string => base.replace(/\/+$/, "") + path;

/** What is wrong with a path that `joinUrl` puts behind a URL, for an output's `check`. */
export const pathFaults = (key: string, path: string): readonly string[] =>
  path === "" || path.startsWith("/") ? [] : [`${key}: must begin with /`];

/** What is wrong with configured headers, for an output's `check`: a bad one would fail every request. */
export const headerFaults = (key: string, headers: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(headers).flatMap(([name, value]) => {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return [`${key}: ${JSON.stringify(name)} is not a header's name`];
    return /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? [] : [`${key}: ${name} holds characters that no header may have`];
  });
