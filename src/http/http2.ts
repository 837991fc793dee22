import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { SecureServerOptions } from "node:http2";
import { constants, createSecureServer, type ServerHttp2Session } from "node:http2";

/** Streams that one connection may have open. */
const maxStreams = 100;
/**
 * What a connection may do to no purpose before it is ended. Node ends those that flood it with pings or settings by
 * itself; requests that are taken back at once are paid from a bucket of `burst` that gains `rate` a second.
 */
const patience = {
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  maxOutstandingPings: 10,
  maxOutstandingSettings: 10,
  maxHeaderListPairs: 128,
  /** Megabytes. */
  maxSessionMemory: 4,
  streamResetBurst: 200,
  streamResetRate: 20,
};

export interface Http2Options {
  readonly tls: SecureServerOptions;
  /** Of header blocks. */
  readonly maxHeaderBytes: number;
  /** A session that has asked for nothing for so long is ended, whatever else it sends. */
  readonly idleMs: number;
  onRequest(req: IncomingMessage, res: ServerResponse): void;
  /** A session that broke the protocol or the limits above. */
  onFault(why: string, remote: string | undefined): void;
}

/**
 * An HTTPS server that speaks HTTP/2 with clients that offer it and HTTP/1.1 with the others, as kube-apiserver's webhook
 * client wants it. Sessions end with the server.
 */
export const createHttp2 = (options: Http2Options): Server => {
  const { tls, maxHeaderBytes, idleMs } = options;
  const server = createSecureServer({
    ...tls,
    ...patience,
    allowHTTP1: true,
    settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: maxHeaderBytes },
  });
  server.on("request", (req, res) =>
    options.onRequest(req as unknown as IncomingMessage, res as unknown as ServerResponse),
  );
  const sessions = new Map<ServerHttp2Session, { open: number; since: number }>();
  let closing = false;
  server.on("session", (session) => {
    const life = { open: 0, since: performance.now() };
    sessions.set(session, life);
    const remote = session.socket.remoteAddress;
    session.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET") options.onFault(`HTTP/2 session: ${error.code ?? error.name}`, remote);
    });
    session.once("close", () => sessions.delete(session));
    session.on("stream", (stream) => {
      life.open++;
      // A client that does not read its answer.
      const cut = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), 2 * idleMs);
      stream.once("close", () => {
        clearTimeout(cut);
        life.open--;
        life.since = performance.now();
      });
    });
    if (closing) session.close();
  });
  const sweep = setInterval(
    () => {
      for (const [session, { open, since }] of sessions) {
        if (open > 0 || performance.now() - since < idleMs) continue;
        if (session.closed) session.destroy();
        else session.close();
      }
    },
    Math.min(10_000, Math.max(50, idleMs / 4)),
  ).unref();
  const http1 = server as unknown as Server;
  http1.once("close", () => clearInterval(sweep));
  const closeHttp1 = http1.closeIdleConnections.bind(http1);
  http1.closeIdleConnections = () => {
    closing = true;
    for (const session of sessions.keys()) session.close();
    closeHttp1();
  };
  return http1;
};
