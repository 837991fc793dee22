import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { gunzipSync } from "node:zlib";
import type { ServerTls } from "./certificates.ts";
import { pour } from "./pour.ts";

/** What the sink does with one request. */
export interface Behaviour {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Before the answer begins. */
  readonly delayMs?: number;
  /** The header as it is sent. */
  readonly retryAfter?: string | number;
  /**
   * `hang`: reads, never answers; `drip`: headers, then a byte every `dripMs` (default 20) without end; `reset`: RST
   * instead of an answer; `reset-in-body`: RST after half the answer; `endless`: headers, then bytes without end, as fast as they go; `close`: FIN instead of an answer;
   * `garbage`: bytes that are not HTTP.
   */
  readonly fault?: "hang" | "drip" | "endless" | "reset" | "reset-in-body" | "close" | "garbage";
  readonly dripMs?: number;
}

/** A plain answer. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly body?: string;
}

export interface Received {
  readonly method: string;
  /** Path and query, or the absolute form when a proxy was meant. */
  readonly url: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly headers: IncomingMessage["headers"];
  /** Decompressed. */
  readonly body: string;
  /** Common name of the client's certificate. */
  readonly client?: string;
}

export interface SinkOptions {
  /** PEM. With `clientCa` a client certificate signed by it is demanded. */
  readonly tls?: ServerTls;
  /** False: count only, for long runs. */
  readonly record?: boolean;
}

export interface HttpSink {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly Received[];
  /** Requests read to their end. */
  count(): number;
  /** Sockets open now, and the most requests that were in flight at once. */
  sockets(): number;
  mostInFlight(): number;
  /** Bytes that left for clients, over all sockets. */
  written(): number;
  /** From now on, when nothing is left of `next`. */
  always(behaviour: Behaviour | ((request: Received, index: number) => Behaviour)): void;
  /** One each for the following requests. */
  next(...behaviours: readonly Behaviour[]): void;
  /** Resolves when `count` requests have been read. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

/** A real HTTP or HTTPS server on loopback that counts what it gets and fails as it is told. */
export const openHttpSink = async (options: SinkOptions = {}): Promise<HttpSink> => {
  const requests: Received[] = [];
  const sockets = new Set<Socket>();
  const script: Behaviour[] = [];
  const waiters: { readonly count: number; readonly done: () => void }[] = [];
  let otherwise: Behaviour | ((request: Received, index: number) => Behaviour) = {};
  let count = 0;
  let inFlight = 0;
  let mostInFlight = 0;
  let gone = 0;

  const onRequest = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    inFlight += 1;
    mostInFlight = Math.max(mostInFlight, inFlight);
    response.once("close", () => {
      inFlight -= 1;
    });
    const received = await read(message);
    if (options.record !== false) requests.push(received);
    count += 1;
    const behaviour = script.shift() ?? (typeof otherwise === "function" ? otherwise(received, count - 1) : otherwise);
    for (const waiter of waiters) if (count >= waiter.count) waiter.done();
    await answer(behaviour, message.socket, response);
  };
  const handle = (message: IncomingMessage, response: ServerResponse): void => {
    onRequest(message, response).catch(() => message.socket.destroy());
  };

  const { tls } = options;
  const server = tls
    ? createTlsServer(
        {
          key: tls.key,
          cert: tls.cert,
          ...(tls.clientCa !== undefined && { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
        },
        handle,
      )
    : createServer(handle);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      gone += socket.bytesWritten - socket.writableLength;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    port,
    requests,
    count: () => count,
    sockets: () => sockets.size,
    mostInFlight: () => mostInFlight,
    written: () => gone + [...sockets].reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0),
    always: (behaviour) => {
      otherwise = behaviour;
    },
    next: (...behaviours) => {
      script.push(...behaviours);
    },
    received: (wanted) =>
      new Promise((done) => {
        if (count >= wanted) done();
        else waiters.push({ count: wanted, done });
      }),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};

/** A sink that answers each request as it is told; what it is told nothing of loses its connection. */
export const openSink = async (
  answer: (request: Received) => Answer | undefined = () => ({ status: 200 }),
): Promise<HttpSink> => {
  const sink = await openHttpSink();
  sink.always((request) => {
    const said = answer(request);
    return said ? { body: "", ...said } : { fault: "close" };
  });
  return sink;
};

const read = async (message: IncomingMessage): Promise<Received> => {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const subject = (message.socket as Partial<TLSSocket>).getPeerCertificate?.()?.subject;
  const raw = Buffer.concat(chunks);
  const [path = "", query = ""] = (message.url ?? "").split("?", 2);
  return {
    method: message.method ?? "",
    url: message.url ?? "",
    path,
    query,
    headers: message.headers,
    body: (message.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw).toString("utf8"),
    ...(subject?.CN && { client: String(subject.CN) }),
  };
};

const answer = async (behaviour: Behaviour, socket: Socket, response: ServerResponse): Promise<void> => {
  const { status = 200, headers = {}, body = "ok", delayMs, retryAfter, fault, dripMs = 20 } = behaviour;
  if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs));
  if (fault === "hang") return;
  if (fault === "reset") return void socket.resetAndDestroy();
  if (fault === "close") return void socket.destroy();
  if (fault === "garbage") return void socket.end("this is no HTTP\r\n\r\n");
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (retryAfter !== undefined) response.setHeader("Retry-After", String(retryAfter));
  response.statusCode = status;
  if (fault === "reset-in-body") {
    response.setHeader("Content-Length", String(body.length * 2));
    response.write(body, () => socket.resetAndDestroy());
    return;
  }
  if (fault === "endless") {
    return pour(response);
  }
  if (fault === "drip") {
    const timer = setInterval(() => response.write("."), dripMs);
    response.once("close", () => clearInterval(timer));
    response.flushHeaders();
    return;
  }
  response.end(body);
};
