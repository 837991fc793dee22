import type { Dispatcher } from "undici";
import type { ProxyEnv } from "../config/proxy.ts";
import { DeliveryError } from "../sdk/errors.ts";
import {
  answerBytes,
  type HttpCall,
  HttpRefusal,
  type HttpReply,
  type HttpRequest,
  mergeHeaders,
} from "../sdk/http.ts";
import type { TlsMaterial } from "../sdk/output.ts";
import { failureOf } from "./failure.ts";
import { retryAfterMs, statusFault } from "./status.ts";
import { openTargets, type Target } from "./targets.ts";
import { ownWords } from "./words.ts";

export interface HttpOptions {
  /** Sockets per origin; default 32. */
  readonly connections?: number;
  /** Milliseconds since the epoch, to read Retry-After dates by. */
  readonly now?: () => number;
}

/**
 * HTTP for one destination: keep-alive pools, through the proxy that the environment names (loopback never), TLS 1.2 or
 * newer, redirects not followed. Timeouts are the caller's signal. Throws DeliveryError only; its message never holds the URL.
 */
export const openHttp = (
  tls: TlsMaterial,
  proxy: ProxyEnv = {},
  options: HttpOptions = {},
): HttpCall & { close(): Promise<void> } => {
  const now = options.now ?? Date.now;
  const targets = openTargets(tls, proxy, options.connections ?? 32);

  const checked = (reply: HttpReply, request: HttpRequest): HttpReply => {
    const fault = statusFault(reply.status);
    if (!fault) return reply;
    const wait = fault.retryable ? retryAfterMs(reply.headers, now()) : undefined;
    const said = ownWords(reply, request);
    throw new HttpRefusal(
      `HTTP ${reply.status}`,
      wait === undefined ? fault : { ...fault, retryAfterMs: wait },
      said,
      reply,
    );
  };
  const call: HttpCall = (request, signal) =>
    new Promise<HttpReply>((resolve, reject) => {
      exchange(targets.find(request.url), request, signal, resolve, reject);
    }).then((reply) => checked(reply, request), failed);
  return Object.assign(call, { close: targets.close });
};

const failed = (error: unknown): never => {
  if (error instanceof DeliveryError) throw error;
  const { message, ...fault } = failureOf(error);
  throw new DeliveryError(message, fault);
};

/** One request on the wire, below undici's body streams: an answer is a few hundred bytes and comes in one piece. */
const exchange = (
  target: Target,
  request: HttpRequest,
  signal: AbortSignal,
  resolve: (reply: HttpReply) => void,
  reject: (error: unknown) => void,
): void => {
  let controller: Dispatcher.DispatchController | undefined;
  let status = 0;
  let headers: Readonly<Record<string, string>> = {};
  let kept = 0;
  let chunks: Buffer[] | undefined;
  const { keep = answerBytes } = request;

  const abort = (): void => {
    controller?.abort(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });

  const options: Dispatcher.DispatchOptions = {
    origin: target.origin,
    path: target.path,
    method: request.method ?? "POST",
    headers: target.headers ? mergeHeaders(target.headers, request.headers ?? {}) : (request.headers ?? {}),
    body: request.body ?? null,
  };
  target.dispatcher.dispatch(options, {
    onRequestStart(started) {
      controller = started;
      if (signal.aborted) abort();
    },
    onResponseStart(_controller, code, fields) {
      status = code;
      headers = flatten(fields);
    },
    onResponseData(answering, chunk) {
      if (kept >= keep) return;
      chunks ??= [];
      chunks.push(kept + chunk.length > keep ? chunk.subarray(0, keep - kept) : chunk);
      kept += chunk.length;
      if (kept < keep) return;
      // An answer without end would hold the connection: it is closed, and the next request opens another.
      end();
      answering.abort(new Error("the answer is long enough"));
    },
    onResponseEnd() {
      end();
    },
    onResponseError(_controller, error) {
      signal.removeEventListener("abort", abort);
      reject(error);
    },
  });
  const end = (): void => {
    signal.removeEventListener("abort", abort);
    resolve({ status, headers, body: chunks ? Buffer.concat(chunks).toString("utf8") : "" });
  };
};

type Fields = Readonly<Record<string, string | string[] | undefined>>;

/** As they are, but for fields that came more than once. */
const flatten = (fields: Fields): Readonly<Record<string, string>> => {
  for (const name in fields) if (typeof fields[name] !== "string") return joined(fields);
  return fields as Readonly<Record<string, string>>;
};

const joined = (fields: Fields): Readonly<Record<string, string>> => {
  const flat: Record<string, string> = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
};
