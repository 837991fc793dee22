import { createHash, timingSafeEqual } from "node:crypto";
import type { OpenSource, SourceHost, SourceReply, SourceRequest } from "../../src/sdk/source.ts";
import { cleanPath, matchPath, type Place } from "./open-params.ts";
import { type Dropped, splitPayload } from "./payload.ts";
import { createRedelivery } from "./redelivery.ts";

export interface WebhookSettings {
  readonly place: Place & { readonly kind: "webhook" };
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** Any of them lets a request in; none: no token is asked for. */
  readonly tokens: readonly string[];
  readonly cluster: string;
  readonly maxEventBytes: number;
  readonly maxBatchBytes: number;
  readonly redeliveryWindowMs: number;
  /** Until an unfinished write is answered with 503, while it goes on: kube-apiserver hangs up after 30 s. */
  readonly answerMs: number;
}

/** Listens for what kube-apiserver's audit webhook sends. */
export const openWebhook = async (settings: WebhookSettings, host: SourceHost): Promise<OpenSource> => {
  const { place, tls, maxBatchBytes } = settings;
  const listener = await host.listen(
    { host: place.host, port: place.port, maxBodyBytes: maxBatchBytes, ...(tls && { tls }) },
    answerer(settings, host),
  );
  const { port } = listener;
  host.log.info(
    { port, path: place.path, tls: tls !== undefined, cluster: settings.cluster },
    "listening for audit events",
  );
  return { port, close: () => listener.close() };
};

/** Answers one request; what it says is kube-apiserver's whole knowledge of what became of the batch. */
export const answerer = (settings: WebhookSettings, host: Pick<SourceHost, "push" | "drop" | "log" | "now">) => {
  const matches = matchPath(settings.place.path);
  const allowed = tokenCheck(settings.tokens);
  const redelivery = createRedelivery<SourceReply>(settings.redeliveryWindowMs, host.now);

  return async (request: SourceRequest): Promise<SourceReply> => {
    const { method, path, headers } = request;
    const clean = cleanPath(path);
    if (clean !== path) return { status: 307, headers: { Location: clean } };
    if (!matches(path)) return refusal(404, "404 page not found");
    if (method !== "POST") return refusal(405, `${method} method not allowed`);
    if (!allowed(headers.authorization)) return unauthorized;
    if (!headers["content-type"]?.includes("application/json")) return refusal(400, "wrong Content Type");
    const taken = redelivery.once(request.body, () => take(request.body, settings, host));
    return withDeadline(taken, settings.answerMs).catch(() => busy);
  };
};

/** Resolves with the answer to a body that will be remembered; rejects when the events could not be stored. */
const take = async (
  body: Buffer,
  { maxEventBytes, cluster }: WebhookSettings,
  host: Pick<SourceHost, "push" | "drop" | "log">,
): Promise<SourceReply> => {
  const { events, dropped } = splitPayload(body.toString(), { maxEventBytes, maxEvents, ...(cluster && { cluster }) });
  if (events.length > 0) await host.push(events);
  if (dropped.length === 0) return accepted;
  report(dropped, cluster, host);
  const status = events.length > 0 ? 200 : dropped[0]?.reason === "too_many" ? 413 : 400;
  const error = events.length > 0 ? {} : { error: dropped[0]?.message };
  return json(status, { ...error, accepted: events.length, dropped: dropped.slice(0, namedInAnswer) });
};

const namedInAnswer = 100;
/** kube-apiserver sends 400 at once unless told otherwise; millions of `{}` must not become millions of objects. */
const maxEvents = 100_000;

const report = (dropped: readonly Dropped[], cluster: string, host: Pick<SourceHost, "drop" | "log">): void => {
  for (const { reason } of dropped) host.drop?.(1, reason);
  host.log.warn(
    { cluster, count: dropped.length, dropped: dropped.slice(0, 20) },
    "audit events dropped: they can never be taken",
  );
};

const accepted: SourceReply = { status: 200 };

const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): SourceReply => ({
  status,
  headers: { "Content-Type": "application/json; charset=utf-8", ...headers },
  body: `${JSON.stringify(value)}\n`,
});

/** Refusals as the original words them. */
const refusal = (status: number, text: string): SourceReply => ({
  status,
  headers: { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" },
  body: `${text}\n`,
});

const unauthorized = json(401, { error: "a bearer token is needed" }, { "WWW-Authenticate": "Bearer" });

// Measured: each of the client's five tries is repeated ten times at this pace, some 340 s in all instead of 90.
const busy = json(503, { error: "the events cannot be stored now" }, { "Retry-After": "5" });

const tokenCheck = (tokens: readonly string[]): ((authorization: string | undefined) => boolean) => {
  if (tokens.length === 0) return () => true;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const wanted = tokens.map(digest);
  return (authorization) => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    if (given === undefined) return false;
    const hash = digest(given);
    // Every token is compared, so that the time says nothing.
    return wanted.reduce((found, token) => timingSafeEqual(token, hash) || found, false);
  };
};

const withDeadline = <T>(promise: Promise<T>, ms: number): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("not stored in time")), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
