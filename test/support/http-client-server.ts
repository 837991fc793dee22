import { type Behaviour, openHttpSink, type Received } from "../fakes/http-sink.ts";
import type { ClientServer, Refusal, Settings } from "./client-server.ts";

type Answer = Behaviour | ((request: Received) => Behaviour);

/** A server that is reached over HTTP, whatever client asks it. */
export const httpClientServer = (parts: {
  readonly at: (url: string, secret: string) => Settings;
  /** Answers a request; `refuses` tells of single alerts. */
  readonly take: (request: Received, refuses: (text: string) => boolean) => Behaviour;
  readonly refusals: Readonly<Record<string, Refusal<Answer>>>;
  readonly part?: ClientServer<Answer>["part"];
  readonly lacks?: ClientServer<Answer>["lacks"];
  readonly plainHttp?: boolean;
}): ClientServer<Answer> => {
  const at = (port: number, secret: string, secure: boolean) =>
    parts.at(`${secure ? "https" : "http"}://127.0.0.1:${port}`, secret);
  return {
    at,
    refusals: parts.refusals,
    lacks: parts.lacks ?? {},
    ...(parts.part && { part: parts.part }),
    ...(parts.plainHttp && { plainHttp: true }),
    open: async ({ answer, refuses = () => false, fault, tls }) => {
      const sink = await openHttpSink(tls ? { tls } : {});
      const taken: string[] = [];
      sink.always((request) => {
        if (fault) return { fault };
        const behaviour = typeof answer === "function" ? answer(request) : (answer ?? parts.take(request, refuses));
        if (answer === undefined) taken.push(request.body);
        return behaviour;
      });
      return {
        settings: (secret) => at(sink.port, secret, tls !== undefined),
        arrived: () => taken.join("\n"),
        connections: sink.sockets,
        poured: sink.written,
        close: sink.close,
      };
    },
  };
};

/** What every HTTP server may answer. */
export const httpRefusals: Readonly<Record<string, Refusal<Answer>>> = {
  "400": { answer: { status: 400, body: "no" }, reason: "client_error", retryable: false },
  "401": { answer: { status: 401, body: "who" }, reason: "auth_error", retryable: false },
  "404": { answer: { status: 404, body: "where" }, reason: "not_found", retryable: false },
  "413": { answer: { status: 413, body: "large" }, reason: "too_large", retryable: false },
  "429 with Retry-After": {
    answer: { status: 429, retryAfter: 7 },
    reason: "rate_limited",
    retryable: true,
    retryAfterMs: 7000,
  },
  "500": { answer: { status: 500, body: "oops" }, reason: "server_error", retryable: true },
  "503 with Retry-After": {
    answer: { status: 503, retryAfter: 9 },
    reason: "server_error",
    retryable: true,
    retryAfterMs: 9000,
  },
};
