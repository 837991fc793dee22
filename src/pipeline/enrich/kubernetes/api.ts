import { readFile } from "node:fs/promises";
import { Agent as PlainAgent, request as requestPlain, STATUS_CODES } from "node:http";
import { request as requestSecure, Agent as SecureAgent } from "node:https";
import type { Readable } from "node:stream";
import type { KubernetesSettings } from "../../../config/types.ts";
import { networkFault } from "../../../sdk/network.ts";

/** Asks a Kubernetes API server, over connections that are kept. */
export interface KubernetesApi {
  /** The body of a 200. Rejects with ApiFault. */
  get(path: string, accept: string, signal: AbortSignal): Promise<Readable>;
  close(): void;
}

/** Its message holds no URL, no token and nothing that the server said. */
export class ApiFault extends Error {
  override readonly name = "ApiFault";
  /** HTTP's, or that of an ERROR event. */
  readonly status: number | undefined;
  /** The server's own wait. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, more: { status?: number; retryAfterMs?: number | undefined; cause?: unknown } = {}) {
    super(message, { cause: more.cause });
    this.status = more.status;
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** What came is not what the API documents: it would be the same again. */
export class Unreadable extends ApiFault {}

export const faultOf = (error: unknown): ApiFault => {
  if (error instanceof ApiFault) return error;
  const words = networkFault(error)?.message ?? (error instanceof Error ? error.message : "failed");
  return new ApiFault(words, { cause: error });
};

export const statusFault = (status: number, retryAfter?: string): ApiFault =>
  new ApiFault(`answered ${status} ${STATUS_CODES[status] ?? ""}`.trimEnd(), {
    status,
    retryAfterMs: waitOf(retryAfter),
  });

/** A server that asks for more is asked all the same. */
const longestWaitMs = 5 * 60_000;

/** Seconds, as the API has them; undefined: none. */
const waitOf = (retryAfter: string | undefined): number | undefined =>
  /^\d{1,9}$/.test(retryAfter ?? "") ? Math.min(Number(retryAfter) * 1000, longestWaitMs) : undefined;

/** Nothing is sent before its files can be read; both are read for every request, because they are replaced while the hub runs. */
export const openApi = ({ url, tokenFile, caFile }: KubernetesSettings): KubernetesApi => {
  const base = url.replace(/\/+$/, "");
  const secure = base.startsWith("https:");
  const plain = new PlainAgent({ keepAlive: true });
  let trusted: { readonly ca: string | undefined; readonly agent: SecureAgent } | undefined;

  const agentFor = async (): Promise<SecureAgent | PlainAgent> => {
    if (!secure) return plain;
    const ca = caFile === undefined ? undefined : await read(caFile, "CA");
    if (trusted?.ca === ca && trusted) return trusted.agent;
    trusted?.agent.destroy();
    trusted = { ca, agent: new SecureAgent({ keepAlive: true, ...(ca !== undefined && { ca }) }) };
    return trusted.agent;
  };
  const send = (path: string, headers: Record<string, string>, agent: PlainAgent, signal: AbortSignal) =>
    new Promise<Readable>((resolve, reject) => {
      const request = secure ? requestSecure : requestPlain;
      const asked = request(`${base}${path}`, { agent, headers }, (answer) => {
        // Whoever reads it hears of it; an answer that was read to its end may still be aborted.
        answer.on("error", () => {});
        if (answer.statusCode === 200) return resolve(answer);
        reject(statusFault(answer.statusCode ?? 0, answer.headers["retry-after"]));
        // What it said is not read.
        answer.destroy();
      });
      // Node's own `signal` throws where an answer has just ended: its connection has nobody then who hears of an error.
      const abort = (): void => void asked.destroy();
      signal.addEventListener("abort", abort, { once: true });
      asked.on("error", reject).on("close", () => signal.removeEventListener("abort", abort));
      if (signal.aborted) abort();
      else asked.end();
    });
  return {
    get: async (path, accept, signal) => {
      try {
        const [agent, token] = [await agentFor(), tokenFile && (await read(tokenFile, "token")).trim()];
        const headers = { accept, ...(token && { authorization: `Bearer ${token}` }) };
        return await send(path, headers, agent, signal);
      } catch (error) {
        throw signal.aborted ? new ApiFault("timeout") : faultOf(error);
      }
    },
    close: () => {
      plain.destroy();
      trusted?.agent.destroy();
    },
  };
};

const read = async (file: string, what: string): Promise<string> => {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
    throw new ApiFault(`its ${what} file cannot be read${code}`, { cause });
  }
};
