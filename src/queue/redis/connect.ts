/** Connections to Redis: single, behind Sentinel, or Cluster. No error that leaves here names an address or a secret. */

import { Cluster, Redis, type RedisOptions } from "ioredis";
import { QueueError } from "../queue.ts";

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

export interface RedisTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized?: boolean;
  readonly servername?: string;
}

export interface RedisSettings {
  /** `redis://` or `rediss://` with user, password and database. */
  readonly url?: string;
  readonly sentinel?: {
    readonly nodes: readonly RedisNode[];
    readonly name: string;
    readonly username?: string;
    readonly password?: string;
  };
  readonly cluster?: readonly RedisNode[];
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  /** Present: TLS, also without `rediss://`. PEM texts. */
  readonly tls?: RedisTls;
}

/** Without the one option whose type forbids to leave it out. */
type Options = Omit<RedisOptions, "replyMapping">;

export type RedisClient = Redis | Cluster;

/**
 * `push`: fails fast, nothing waits for a connection and no command longer than `commandTimeoutMs`.
 * `work`: waits for Redis to come back, as BullMQ's workers need.
 */
export function connectRedis(settings: RedisSettings, role: "push" | "work", commandTimeoutMs: number): RedisClient {
  const url = settings.url === undefined ? undefined : readUrl(settings.url);
  const tls = settings.tls ?? (url?.tls ? {} : undefined);
  const common: Options = {
    connectTimeout: 5000,
    keepAlive: 10_000,
    retryStrategy: (times) => Math.min(100 * 2 ** Math.min(times, 5), 2000),
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    ...(role === "push"
      ? { enableOfflineQueue: false, commandTimeout: commandTimeoutMs, maxRetriesPerRequest: 0 }
      : { maxRetriesPerRequest: null }),
    // A server that is gone without a word: only a new connection finds the one that took its place.
    // BullMQ's blocking reads last up to ten seconds.
    socketTimeout: role === "push" ? Math.max(5000, 2 * commandTimeoutMs) : 15_000,
    ...optional("username", settings.username ?? url?.username),
    ...optional("password", settings.password ?? url?.password),
    ...(tls ? { tls } : {}),
  };
  const client = build(settings, common, url, role);
  // Without a listener ioredis would print errors; whoever cares asks for the state.
  client.on("error", () => {});
  if (client instanceof Redis) client.on("connect", () => joinWrites(client.stream));
  return client;
}

/** Commands of one turn of the event loop leave in one system call: each costs more than Redis needs for the command. */
function joinWrites(stream: Redis["stream"]): void {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  let corked = false;
  const release = () => {
    corked = false;
    stream.uncork();
  };
  const joined = (...args: unknown[]) => {
    if (!corked) {
      corked = true;
      stream.cork();
      setImmediate(release);
    }
    return write(...args);
  };
  Object.assign(stream, { write: joined });
}

function build(
  settings: RedisSettings,
  common: Options,
  url: ReturnType<typeof readUrl> | undefined,
  role: "push" | "work",
): RedisClient {
  const { cluster, sentinel } = settings;
  if (cluster) {
    return new Cluster([...cluster], {
      redisOptions: common,
      enableOfflineQueue: role === "work",
      clusterRetryStrategy: (times) => Math.min(100 * times, 2000),
      // Each costs up to 100 ms, and a push has somewhere else to go.
      ...(role === "push" ? { maxRedirections: 5 } : {}),
    });
  }
  const db = optional("db", settings.db ?? url?.db);
  if (sentinel) {
    return new Redis({
      ...common,
      ...db,
      sentinels: [...sentinel.nodes],
      name: sentinel.name,
      sentinelCommandTimeout: 2000,
      ...optional("sentinelUsername", sentinel.username),
      ...optional("sentinelPassword", sentinel.password),
      ...(common.tls ? { sentinelTLS: common.tls, enableTLSForSentinelMode: true } : {}),
    });
  }
  return new Redis({ ...common, ...db, host: url?.host ?? "127.0.0.1", port: url?.port ?? 6379 });
}

const optional = <K extends string, V>(key: K, value: V | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };

function readUrl(text: string) {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new QueueError("unavailable", "the Redis address is not a URL");
  }
  if (url.protocol !== "redis:" && url.protocol !== "rediss:")
    throw new QueueError("unavailable", "the Redis address must begin with redis:// or rediss://");
  const db = Number(url.pathname.slice(1) || "0");
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || "6379"),
    tls: url.protocol === "rediss:",
    db: Number.isInteger(db) ? db : 0,
    username: url.username === "" ? undefined : decodeURIComponent(url.username),
    password: url.password === "" ? undefined : decodeURIComponent(url.password),
  };
}

/** Whether a script may touch any key that begins with the prefix: on one server, or in a Cluster by the prefix's hash tag. */
export const liesTogether = (client: RedisClient, prefix: string): boolean =>
  client instanceof Redis || /\{[^}]+\}/.test(prefix);

/** Redis's answer as a QueueError; what the server or the socket said is reduced to its code word. */
export function toQueueError(error: unknown): QueueError {
  if (error instanceof QueueError) return error;
  if (saysOom(error)) return new QueueError("full", "Redis is out of memory");
  return new QueueError("unavailable", `Redis does not take it: ${codeWord(error)}`);
}

/** A transaction that is refused says why in the errors of its commands. */
function saysOom(error: unknown): boolean {
  const { message = "", previousErrors = [] } = (error ?? {}) as { message?: string; previousErrors?: unknown[] };
  return message.startsWith("OOM") || previousErrors.some(saysOom);
}

/** `ECONNREFUSED`, `READONLY`, `timeout`, … never free text. */
export function codeWord(error: unknown): string {
  const { code, message = "" } = (error ?? {}) as { code?: string; message?: string };
  if (code && /^[A-Z0-9_]+$/.test(code)) return code;
  if (/timed out/i.test(message)) return "timeout";
  return /^([A-Z]{3,}) /.exec(message)?.[1] ?? (/closed|writeable|writable/i.test(message) ? "not connected" : "error");
}

/** Workers copy the connection for their blocking reads; a copy that is still reconnecting would keep the process. */
export function trackCopies(client: RedisClient): Set<RedisClient> {
  const copies = new Set<RedisClient>();
  const duplicate = client.duplicate.bind(client) as (...args: unknown[]) => RedisClient;
  Object.assign(client, {
    duplicate: (...args: unknown[]) => {
      const copy = duplicate(...args);
      // They run no script, and those of BullMQ take a quarter of a megabyte on each.
      Object.assign(copy, { defineCommand: () => {} });
      copies.add(copy);
      copy.on("error", () => {});
      copy.on("end", () => copies.delete(copy));
      return copy;
    },
  });
  return copies;
}
