import { type Dispatcher, Pool, ProxyAgent } from "undici";
import { DeliveryError } from "../sdk/errors.ts";
import type { HttpCall, HttpReply, HttpRequest } from "../sdk/http.ts";
import type { TlsMaterial } from "../sdk/output.ts";
import { failureOf } from "./failure.ts";
import { type ProxyEnv, proxyFor } from "./proxy.ts";
import { retryAfterMs, statusFault } from "./status.ts";
import { secureContext } from "./tls.ts";

export interface HttpOptions {
  /** Sockets per origin; default 32. */
  readonly connections?: number;
  /** Milliseconds since the epoch, to read Retry-After dates by. */
  readonly now?: () => number;
}

/** Kept of an answer; the rest is read and dropped so that the connection can be used again. */
const keptBytes = 1024 * 1024;

interface Target {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  readonly path: string;
  readonly authorization?: string;
}

/**
 * HTTP for one destination: one keep-alive pool per origin, through the proxy that the environment names, TLS 1.2 or
 * newer. Redirects are not followed. Timeouts are the caller's signal. Throws DeliveryError only; its message never holds the URL.
 */
export const openHttp = (
  tls: TlsMaterial,
  proxy: ProxyEnv = {},
  options: HttpOptions = {},
): HttpCall & { close(): Promise<void> } => {
  const now = options.now ?? Date.now;
  const connections = options.connections ?? 32;
  const dispatchers = new Map<string, Dispatcher>();
  const targets = new Map<string, Target>();
  let context: ReturnType<typeof secureContext> | undefined;

  const connect = () => {
    context ??= secureContext(tls);
    return { secureContext: context, rejectUnauthorized: tls.rejectUnauthorized };
  };

  const openDispatcher = (url: URL): Dispatcher => {
    const secure = url.protocol === "https:";
    const common = { connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 };
    const via = proxyFor(url, proxy);
    if (via === undefined) return new Pool(url.origin, { ...common, ...(secure && { connect: connect() }) });
    const proxyTls = via.startsWith("https:") ? { proxyTls: connect() } : {};
    // Plain HTTP goes to the proxy in absolute form: many proxies allow CONNECT to port 443 alone.
    return new ProxyAgent({
      ...common,
      uri: via,
      proxyTunnel: secure,
      ...proxyTls,
      ...(secure && { requestTls: connect() }),
    });
  };

  const targetOf = (address: string): Target => {
    const known = targets.get(address);
    if (known) return known;
    const url = URL.parse(address);
    if (!url || (url.protocol !== "https:" && url.protocol !== "http:"))
      throw new DeliveryError("the address is not an http or https URL", { reason: "config", retryable: false });
    let dispatcher = dispatchers.get(url.origin);
    if (!dispatcher) {
      dispatcher = openDispatcher(url);
      dispatchers.set(url.origin, dispatcher);
    }
    const target = {
      dispatcher,
      origin: url.origin,
      path: url.pathname + url.search,
      ...((url.username || url.password) && { authorization: basic(url) }),
    };
    // Addresses may carry a date or an alert's name; the pools behind them are few.
    if (targets.size >= 256) targets.clear();
    targets.set(address, target);
    return target;
  };

  const call: HttpCall = async (request, signal) => {
    const reply = await send(request, signal, targetOf).catch((error: unknown) => {
      const { message, ...fault } = failureOf(error);
      throw new DeliveryError(message, fault);
    });
    const fault = statusFault(reply.status);
    if (!fault) return reply;
    const wait = fault.retryable ? retryAfterMs(reply.headers, now()) : undefined;
    throw new DeliveryError(`HTTP ${reply.status}`, wait === undefined ? fault : { ...fault, retryAfterMs: wait });
  };

  return Object.assign(call, {
    close: async () => {
      const open = [...dispatchers.values()];
      dispatchers.clear();
      targets.clear();
      await Promise.all(open.map((dispatcher) => dispatcher.destroy()));
    },
  });
};

/** Credentials in the address become a header, as in Go's client. */
const basic = (url: URL): string =>
  `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString("base64")}`;

const send = async (
  request: HttpRequest,
  signal: AbortSignal,
  targetOf: (url: string) => Target,
): Promise<HttpReply> => {
  const target = targetOf(request.url);
  return await exchange(
    target.dispatcher,
    {
      origin: target.origin,
      path: target.path,
      method: request.method ?? "POST",
      headers: headersFor(request.headers ?? {}, target.authorization),
      body: request.body ?? null,
    },
    signal,
  );
};

const headersFor = (headers: Readonly<Record<string, string>>, authorization: string | undefined) =>
  authorization === undefined || Object.keys(headers).some((name) => name.toLowerCase() === "authorization")
    ? headers
    : { ...headers, Authorization: authorization };

const exchange = (
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
): Promise<HttpReply> => {
  const { promise, resolve, reject } = Promise.withResolvers<HttpReply>();
  let controller: Dispatcher.DispatchController | undefined;
  let status = 0;
  let headers: Record<string, string> = {};
  let kept = 0;
  const chunks: Buffer[] = [];
  const abort = (): void => {
    controller?.abort(asError(signal.reason));
    reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  const settled = (): void => signal.removeEventListener("abort", abort);

  dispatcher.dispatch(options, {
    onRequestStart(started) {
      controller = started;
      if (signal.aborted) abort();
    },
    onResponseStart(_controller, code, fields) {
      status = code;
      headers = flatten(fields);
    },
    onResponseData(_controller, chunk) {
      if (kept >= keptBytes) return;
      chunks.push(kept + chunk.length > keptBytes ? chunk.subarray(0, keptBytes - kept) : chunk);
      kept += chunk.length;
    },
    onResponseEnd() {
      settled();
      resolve({ status, headers, body: kept === 0 ? "" : Buffer.concat(chunks).toString("utf8") });
    },
    onResponseError(_controller, error) {
      settled();
      reject(error);
    },
  });
  return promise;
};

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error("aborted"));

const flatten = (fields: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> => {
  const flat: Record<string, string> = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
};
