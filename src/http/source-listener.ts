import type { IncomingMessage } from "node:http";
import type { ListenOptions, SourceHost, SourceReply, SourceRequest } from "../sdk/source.ts";
import type { Body } from "./body.ts";
import { type Shared, serve } from "./exchange.ts";
import { createListener } from "./listener.ts";

export type SourceHandle = (request: SourceRequest) => Promise<SourceReply>;

export const sourceRequest = (req: IncomingMessage, path: string, body: Body): SourceRequest => ({
  method: req.method ?? "",
  path,
  headers: headersOf(req),
  body: body.bytes,
  remote: req.socket.remoteAddress ?? "",
});

const headersOf = (req: IncomingMessage): Record<string, string | undefined> => {
  const { "set-cookie": cookies, ...headers } = req.headers;
  return { ...(headers as Record<string, string | undefined>), ...(cookies && { "set-cookie": cookies.join("; ") }) };
};

export interface SourceListenSettings {
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  /** Given to open requests when the listener closes. */
  readonly closeMs: number;
  /** Hears of each body's length as sent. */
  readonly wire: (bytes: number) => void;
}

/** `SourceHost.listen`: a port of a source's own, with the same body reader, bounds and refusals as the hub's. */
export const createSourceListen =
  (shared: Shared, settings: SourceListenSettings): SourceHost["listen"] =>
  async (options: ListenOptions, handle: SourceHandle) => {
    const listener = await createListener({
      host: options.host,
      port: options.port,
      ...(options.tls && { tls: options.tls, http2: true }),
      ...settings,
      log: shared.log,
      handle: (req, res) => {
        const path = (req.url ?? "/").split("?", 1)[0] ?? "/";
        void serve(req, res, shared, options.maxBodyBytes, (body) => {
          settings.wire(body.wire);
          return handle(sourceRequest(req, path, body));
        });
      },
    });
    return { port: listener.port, close: () => listener.close(settings.closeMs) };
  };
