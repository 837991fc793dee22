import { answerBytes, type HttpCall, HttpRefusal, type HttpReply, type Method } from "./http.ts";

/** What AWS's clients ask of a connection: a signed request. */
interface SignedRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Of an invocation's answer, of which the end of the function's log is a part. */
const keep = 2 * answerBytes;

/**
 * The output's own connections (TLS, proxy, time limits, no more of an answer than is needed) as AWS's clients use one. They
 * read refusals themselves; the answer that they keep with their error bears the wait that it asks for, in milliseconds.
 */
export const awsHttp = (http: HttpCall) => ({
  handle: async (request: SignedRequest, { abortSignal }: { readonly abortSignal?: AbortSignal } = {}) => {
    const signal = abortSignal ?? new AbortController().signal;
    const body = typeof request.body === "string" || request.body instanceof Uint8Array ? request.body : undefined;
    const call = { method: request.method as Method, url: urlOf(request), headers: request.headers, keep };
    const { reply, retryAfterMs } = await http({ ...call, ...(body !== undefined && { body }) }, signal).then(
      (reply): Answered => ({ reply }),
      refusal,
    );
    const answer = { statusCode: reply.status, headers: reply.headers, body: Buffer.from(reply.body) };
    return { response: retryAfterMs === undefined ? answer : { ...answer, retryAfterMs } };
  },
});

interface Answered {
  readonly reply: HttpReply;
  readonly retryAfterMs?: number | undefined;
}

const refusal = (error: unknown): Answered => {
  if (error instanceof HttpRefusal) return { reply: error.reply, retryAfterMs: error.fault.retryAfterMs };
  throw error;
};

const urlOf = ({ protocol, hostname, port, path, query = {} }: SignedRequest): string => {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) =>
      one === null ? escaped(name) : `${escaped(name)}=${escaped(String(one))}`,
    ),
  );
  const at = port === undefined ? "" : `:${port}`;
  return `${protocol}//${hostname}${at}${path}${pairs.length > 0 ? `?${pairs.join("&")}` : ""}`;
};

/** As it was signed. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
