import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export const jsonAnswer = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff", ...headers },
  body: `${JSON.stringify(value)}\n`,
});

/** Plain text the way Go's http.Error writes it. */
export const textAnswer = (status: number, text: string): Answer => ({
  status,
  headers: { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" },
  body: text,
});

/** falcosidekick's answer to any method but POST on a path that takes alerts. */
export const wrongMethod = textAnswer(400, "Please send with post http method\n");
export const notFound = textAnswer(404, "404 page not found\n");
export const ok: Answer = { status: 200 };

/** Sends the answer. A body that was not read to its end closes the connection behind it. */
export const give = (req: IncomingMessage, res: ServerResponse, answer: Answer): void => {
  if (res.headersSent || res.destroyed) return;
  leaveRest(req, res);
  if (answer === ok) {
    res.writeHead(200, noContent);
    res.end();
    return;
  }
  const body = answer.body ?? "";
  res.writeHead(answer.status, { ...answer.headers, "Content-Length": String(Buffer.byteLength(body)) });
  res.end(body);
};

const noContent = { "Content-Length": "0" };

/** Call before the headers go out: what is still to come of the request's body is not worth waiting for. */
export const leaveRest = (req: IncomingMessage, res: ServerResponse): void => {
  if (req.complete) return;
  if (req.httpVersionMajor > 1) {
    // The stream alone ends, when its answer is out.
    const { stream } = res as unknown as Http2ServerResponse;
    req.resume();
    return void stream.once("finish", () => stream.close());
  }
  if (!announcesBody(req)) return;
  res.setHeader("Connection", "close");
  req.resume();
  linger(req.socket);
};

const announcesBody = (req: IncomingMessage): boolean =>
  req.headers["transfer-encoding"] !== undefined || Number(req.headers["content-length"] ?? 0) > 0;

/** How long the rest of a refused request is read and thrown away, milliseconds. */
const lingerMs = 1500;

/** Closing with unread bytes resets the connection, and the reset can overtake the answer: end, read on, then close. */
export const linger = (socket: Socket): void => {
  socket.destroySoon = () => {
    socket.end();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
};
