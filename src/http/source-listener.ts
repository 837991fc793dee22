import type { IncomingMessage } from "node:http";
import type { ListenOptions, SourceHead, SourceHost, SourceReply, SourceRequest } from "../sdk/source.ts";
import type { Answer } from "./answer.ts";
import type { Body } from "./body.ts";
import type { Door } from "./door.ts";
import { refusalOf } from "./errors.ts";
import { serve } from "./exchange.ts";
import { createListener, type Listener } from "./listener.ts";
import { parseTarget } from "./path.ts";

const sourceHead = (req: IncomingMessage, path: string): SourceHead => ({
  method: req.method ?? "",
  path,
  headers: headersOf(req),
  remote: req.socket.remoteAddress ?? "",
});

const sourceRequest = (head: SourceHead, body: Body): SourceRequest => ({ ...head, body: body.bytes });

/** An absolute URL is asked for by its path, too. */
const pathOf = (url: string): string =>
  (url.startsWith("/") ? url : (parseTarget(url)?.raw ?? url)).split("?", 1)[0] ?? "/";

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
  /** Hears of each listener that opens; returns what is called when it closes. */
  readonly opened?: (listener: Listener) => () => void;
}

/** `SourceHost.listen`: a port of a source's own, with the same body reader and refusals as the hub's and bounds of its own. */
export const createSourceListen =
  (door: Door, settings: SourceListenSettings): SourceHost["listen"] =>
  async (options: ListenOptions, handle: (request: SourceRequest) => Promise<SourceReply>) => {
    const told = (reply: SourceReply, head: SourceHead): Answer => {
      if (reply.status >= 300)
        door.refused(refusalOf(reply.status), reply.why ?? `answered ${reply.status}`, head.remote);
      return reply;
    };
    const listener = await createListener({
      host: options.host,
      port: options.port,
      ...(options.tls && { tls: options.tls, http2: true }),
      requestTimeoutMs: settings.requestTimeoutMs,
      maxConnections: settings.maxConnections,
      log: door.log,
      refused: door.refused,
      handle: (req, res) => {
        const head = sourceHead(req, pathOf(req.url ?? "/"));
        void serve(req, res, door, {
          maxBytes: options.maxBodyBytes,
          admit: () => {
            const reply = options.admit?.(head);
            return reply && told(reply, head);
          },
          run: async (body) => {
            settings.wire(body.wire);
            return told(await handle(sourceRequest(head, body)), head);
          },
        });
      },
    });
    const closed = settings.opened?.(listener);
    return {
      port: listener.port,
      setTls: listener.setTls,
      close: async () => {
        closed?.();
        await listener.close(settings.closeMs);
      },
    };
  };
