import { randomBytes } from "node:crypto";
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps, type Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { type Answer, give, jsonAnswer, wrongMethod } from "./answer.ts";
import { type Crowd, createCrowd } from "./crowd.ts";
import type { Refusal } from "./errors.ts";
import { createHttp2 } from "./http2.ts";
import { createRefusals, goText, type Refusals, rawAnswer, underTls } from "./refusals.ts";
import { tlsFault } from "./tls-fault.ts";

/** PEM text; with `ca` clients must show a certificate that it signed. */
export interface ListenerTls {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

export interface ListenerOptions {
  /** Empty: all addresses. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls?: ListenerTls;
  /** Offer HTTP/2 to clients that can, over TLS. */
  readonly http2?: boolean;
  /** Until a request is complete, its headers and its body; an idle connection lives as long. */
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  readonly log: Logger;
  readonly handle: (req: IncomingMessage, res: ServerResponse) => void;
  /** Answer to a method that no parser knows, by path. */
  readonly odd?: (path: string) => Answer;
  /** Hears of everything that is refused before `handle` would see it; `why` is in the hub's own words. */
  readonly refused: (refusal: Refusal, why: string, remote: string | undefined) => void;
}

export interface Listener {
  readonly port: number;
  /** `http://127.0.0.1:2801`. */
  readonly url: string;
  connections(): number;
  setTls(tls: ListenerTls): void;
  /** Takes no more connections; resolves when the open ones ended, at the latest after `deadlineMs`, when they are cut. */
  close(deadlineMs: number): Promise<void>;
}

const maxHeaderBytes = 64 * 1024;
/** Requests of one connection that are at work together, as with HTTP/2's streams: no single one takes all the places of a port. */
const maxPipelined = 100;
const tooManyAtOnce = jsonAnswer(
  503,
  { error: "too many requests at once on this connection" },
  { "Retry-After": "5" },
);
/** Connections that wait to be taken: a burst beyond it makes others wait seconds for their next try. Linux allows 4096. */
const backlog = 4096;

/** One port. Everything that the parser refuses is answered and nothing that a client sends can throw. Rejects when it cannot listen. */
export const createListener = async (options: ListenerOptions): Promise<Listener> => {
  const { refused } = options;
  const refusals = createRefusals(refused, options.odd);
  const crowd = createCrowd(options.maxConnections, (remote) =>
    refused("connections", `more than limits.maxconnections (${options.maxConnections})`, remote),
  );
  const onRequest = admit(options, crowd, refusals);
  const server = open(options, onRequest);
  server.on("connection", crowd.came);
  server.on("clientError", refusals.refuse);
  // The body's reader sends 100 Continue when it wants the body.
  server.on("checkContinue", onRequest);
  server.on("checkExpectation", (req: IncomingMessage, res: ServerResponse) => {
    refused("bad_request", "an Expect that is not 100-continue", req.socket.remoteAddress);
    give(req, res, { status: 417 });
  });
  server.on("connect", (req: IncomingMessage, socket: Socket) => {
    refused("method", "a CONNECT", req.socket.remoteAddress);
    socket.end(rawAnswer(wrongMethod));
  });
  server.on("tlsClientError", (error: Error & { code?: string }, socket: Socket) => {
    const plain = underTls(socket);
    const { refusal, why } = tlsFault(error, socket as TLSSocket);
    refused(refusal, why, crowd.remoteOf(plain));
    if (refusal !== "plain_http" || !plain.writable) return;
    plain.end("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
  });
  // A client that does not read its answer.
  server.timeout = 2 * options.requestTimeoutMs;

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port: options.port, host: options.host || undefined, backlog }, () => {
      server.off("error", reject);
      // Such as EMFILE at accept: connections wait in the backlog until descriptors are free.
      server.on("error", onceEach(options.log));
      resolve();
    });
  });
  const { port, address, family } = server.address() as AddressInfo;
  const host = family === "IPv6" ? `[${address}]` : address;

  return {
    port,
    url: `${options.tls ? "https" : "http"}://${host}:${port}`,
    connections: () => crowd.sockets.size,
    setTls: (tls) => {
      (server as HttpsServer).setSecureContext({ ...tls, minVersion: "TLSv1.2" });
      // A session of before would be resumed without a look at the client's certificate.
      (server as HttpsServer).setTicketKeys(randomBytes(48));
    },
    close: (deadlineMs) =>
      new Promise((resolve) => {
        const cutUnless = (spared: (socket: Socket) => boolean): void => {
          for (const socket of crowd.sockets) if (!spared(socket)) socket.destroy();
        };
        let sweeps = 0;
        const sweep = setInterval(() => {
          // Those that fall idle later; after a moment also those that never said anything whole.
          server.closeIdleConnections();
          if (++sweeps > 10) cutUnless((socket) => refusals.atWork(socket) > 0);
        }, 100);
        const cut = setTimeout(() => cutUnless(() => false), deadlineMs);
        server.close(() => {
          clearInterval(sweep);
          clearTimeout(cut);
          resolve();
        });
      }),
  };
};

/** What is refused of a sound request before anybody looks at its path; the others are handled. */
const admit =
  ({ handle, refused }: ListenerOptions, crowd: Crowd, refusals: Refusals) =>
  (req: IncomingMessage, res: ServerResponse): void => {
    req.on("error", ignore);
    res.on("error", ignore);
    crowd.asked(req.socket);
    refusals.begin(req, res);
    if (req.headers.host === undefined && req.httpVersionMinor === 1) {
      refused("bad_request", "no Host header", req.socket.remoteAddress);
      req.socket.end(goText("400 Bad Request: missing required Host header"));
      return;
    }
    if (manyHosts(req)) {
      refused("bad_request", "more than one Host header", req.socket.remoteAddress);
      req.socket.end(goText("400 Bad Request: too many Host headers"));
      return;
    }
    if (refusals.atWork(req.socket) > maxPipelined) {
      refused("pipelined", `more than ${maxPipelined} requests at once on one connection`, req.socket.remoteAddress);
      give(req, res, tooManyAtOnce);
      return;
    }
    if (req.url === "*") give(req, res, { status: req.method === "OPTIONS" ? 200 : 400 });
    else handle(req, res);
  };

/** A fault of the port itself can come a thousand times a second: each kind is logged once. */
const onceEach = (log: Logger): ((error: NodeJS.ErrnoException) => void) => {
  const told = new Set<string | undefined>();
  return (error) => {
    if (told.has(error.code)) return;
    told.add(error.code);
    log.error({ err: error }, "the listening port has a fault");
  };
};

const ignore = (): void => {};

/** Whoever stands before the hub may have looked at another of them than the first. */
const manyHosts = ({ rawHeaders, httpVersionMajor }: IncomingMessage): boolean => {
  if (httpVersionMajor > 1) return false;
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === "host") hosts++;
  }
  return hosts > 1;
};

const open = (options: ListenerOptions, onRequest: (req: IncomingMessage, res: ServerResponse) => void): Server => {
  const common = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: options.requestTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: options.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(10_000, Math.max(50, options.requestTimeoutMs / 4)),
    requireHostHeader: false,
    noDelay: true,
  };
  const secure = options.tls && {
    ...common,
    ...options.tls,
    minVersion: "TLSv1.2" as const,
    handshakeTimeout: Math.min(options.requestTimeoutMs, 30_000),
    ...(options.tls.ca && { requestCert: true, rejectUnauthorized: true }),
  };
  const server = secure
    ? options.http2
      ? createHttp2({
          tls: secure,
          maxHeaderBytes,
          idleMs: options.requestTimeoutMs,
          onRequest,
          onFault: (why, remote) => options.refused("http2", why, remote),
        })
      : createHttps(secure, onRequest)
    : createHttp(common, onRequest);
  // A client may end its side after the request and still wait for the answer, as Go allows.
  (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  return server;
};
