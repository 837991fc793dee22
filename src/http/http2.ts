import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { SecureServerOptions } from "node:http2";
import { createSecureServer, type ServerHttp2Session } from "node:http2";

/** Streams that one connection may have open. */
const maxStreams = 250;

/**
 * An HTTPS server that speaks HTTP/2 with clients that offer it and HTTP/1.1 with the others, as kube-apiserver's webhook
 * client wants it. Idle connections end after `idleMs`; sessions end with the server.
 */
export const createHttp2 = (
  options: SecureServerOptions,
  idleMs: number,
  onRequest: (req: IncomingMessage, res: ServerResponse) => void,
): Server => {
  const server = createSecureServer({
    ...options,
    allowHTTP1: true,
    settings: { maxConcurrentStreams: maxStreams },
  });
  server.on("request", (req, res) => onRequest(req as unknown as IncomingMessage, res as unknown as ServerResponse));
  const sessions = new Set<ServerHttp2Session>();
  let closing = false;
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.once("close", () => sessions.delete(session));
    session.setTimeout(idleMs, () => session.close());
    if (closing) session.close();
  });
  const http1 = server as unknown as Server;
  const closeHttp1 = http1.closeIdleConnections.bind(http1);
  http1.closeIdleConnections = () => {
    closing = true;
    for (const session of sessions) session.close();
    closeHttp1();
  };
  return http1;
};
