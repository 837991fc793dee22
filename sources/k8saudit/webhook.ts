import type { Payload } from "../../src/audit/payload.ts";
import { createPayloadIntake } from "../../src/audit/payload-intake.ts";
import { bearerCheck } from "../../src/sdk/bearer.ts";
import type { OpenSource, SourceHead, SourceHost, SourceReply, SourceRequest } from "../../src/sdk/source.ts";
import { cleanPath, matchPath, type Place } from "./open-params.ts";
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
export const openWebhook = async (
  settings: WebhookSettings,
  host: SourceHost,
  follow: Follow = () => () => {},
): Promise<OpenSource> => {
  const { place, tls, maxBatchBytes } = settings;
  let { tokens } = settings;
  const listener = await host.listen(
    {
      host: place.host,
      port: place.port,
      maxBodyBytes: maxBatchBytes,
      admit: admission(place, () => tokens),
      ...(tls && { tls }),
    },
    answerer(settings, host),
  );
  const { port } = listener;
  host.log.info(
    { port, path: place.path, tls: tls !== undefined, cluster: settings.cluster },
    "listening for audit events",
  );
  if (settings.tokens.length === 0 && tls?.ca === undefined)
    host.log.warn(
      { port },
      "anybody who reaches this port can send audit events: bearertoken or clientcafile asks who it is",
    );
  const stop = follow({
    tokens: (next) => {
      tokens = next;
    },
    tls: listener.setTls,
  });
  return {
    port,
    close: () => {
      stop();
      return listener.close();
    },
  };
};

/** Hands over credentials when they change; returns what ends that. */
export type Follow = (use: {
  tokens(tokens: readonly string[]): void;
  tls(tls: NonNullable<WebhookSettings["tls"]>): void;
}) => () => void;

/** Refuses or moves on a request by what stands before its body; undefined: the body is wanted. */
export const admission = (place: WebhookSettings["place"], tokens: () => readonly string[]) => {
  const matches = matchPath(place.path);
  const allowed = bearerCheck(tokens, (all) => all.map((token) => ({ token, holder: true })), true);
  return ({ method, path, headers }: SourceHead): SourceReply | undefined => {
    if (path.length > longestPath)
      return {
        ...json(414, { error: `the path is longer than ${longestPath} characters` }),
        why: "a path that is too long",
      };
    const clean = cleanPath(path);
    if (clean !== path) return { status: 307, headers: { Location: clean } };
    if (!matches(path)) return refusal(404, "404 page not found", "a path that is not listened on");
    if (method !== "POST") return refusal(405, `${method} method not allowed`, "a method other than POST");
    if (!allowed(headers.authorization)) return unauthorized;
    if (!headers["content-type"]?.includes("application/json"))
      return refusal(400, "wrong Content Type", "a Content-Type that is not application/json");
    return undefined;
  };
};

const longestPath = 8192;

/** Answers one admitted request; what it says is kube-apiserver's whole knowledge of what became of the batch. */
export const answerer = (settings: WebhookSettings, host: Pick<SourceHost, "push" | "drop" | "log" | "now">) => {
  const redelivery = createRedelivery<SourceReply>(
    settings.redeliveryWindowMs,
    host.now,
    (reply) => reply.body?.length ?? 0,
  );
  const { maxEventBytes, cluster } = settings;
  const intake = createPayloadIntake(host, { maxEventBytes, ...(cluster && { cluster }) });

  return (request: SourceRequest): Promise<SourceReply> => {
    const taken = redelivery.once(request.body, async () => replyOf(await intake(request.body.toString())));
    return withDeadline(taken, settings.answerMs).catch(() => busy);
  };
};

/** The answer to a body that will be remembered. */
const replyOf = ({ events, dropped }: Payload): SourceReply => {
  if (dropped.length === 0) return accepted;
  const status = events.length > 0 ? 200 : dropped[0]?.reason === "too_many" ? 413 : 400;
  const error = events.length > 0 ? {} : { error: dropped[0]?.message };
  const reply = json(status, { ...error, accepted: events.length, dropped: dropped.slice(0, namedInAnswer) });
  return { ...reply, why: `no event of the body can be taken: ${dropped[0]?.reason}` };
};

const namedInAnswer = 100;

const accepted: SourceReply = { status: 200 };

const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): SourceReply => ({
  status,
  headers: { "Content-Type": "application/json; charset=utf-8", ...headers },
  body: `${JSON.stringify(value)}\n`,
});

/** Refusals as the original words them. */
const refusal = (status: number, text: string, why: string): SourceReply => ({
  status,
  headers: { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" },
  body: `${text}\n`,
  why,
});

const unauthorized: SourceReply = {
  ...json(401, { error: "a bearer token is needed" }, { "WWW-Authenticate": "Bearer" }),
  why: "no bearer token, or one that is not known",
};

// Measured: each of the client's five tries is repeated ten times at this pace, some 340 s in all instead of 90.
const busy: SourceReply = {
  ...json(503, { error: "the events cannot be stored now" }, { "Retry-After": "5" }),
  why: "the events cannot be stored now",
};

const withDeadline = <T>(promise: Promise<T>, ms: number): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("not stored in time")), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
