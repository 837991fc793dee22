import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Answer, wrongMethod } from "./answer.ts";
import type { Refusal } from "./errors.ts";

/** Answers to what the parser refuses, so that no request object exists: written to the socket by hand. */
export interface Refusals {
  /** Remembers a request for as long as its answer is due. */
  begin(req: IncomingMessage, res: ServerResponse): void;
  /** Requests of a connection whose answer is due; under TLS by either of its sockets. */
  atWork(socket: Duplex): number;
  /** For `clientError` of a server. */
  refuse(error: Error & { code?: string; rawPacket?: Buffer }, socket: Duplex): void;
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** How long a refused sender is listened to, so that it can read the answer, milliseconds. */
const lingerMs = 500;

/** `odd` answers a sound request line whose method no parser knows; by default as for any method that is not POST. */
export const createRefusals = (
  refused: (refusal: Refusal, why: string, remote: string | undefined) => void,
  odd: (path: string) => Answer = () => wrongMethod,
): Refusals => {
  const due = new WeakMap<Duplex, Exchange[]>();
  const told = new WeakSet<Duplex>();

  const say = (socket: Duplex, text: string): void => {
    told.add(socket);
    socket.end(text);
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };

  return {
    begin: (req, res) => {
      let open = due.get(req.socket);
      if (!open) {
        open = [];
        due.set(req.socket, open);
        due.set(underTls(req.socket), open);
      }
      const exchange = { req, res };
      const those = open;
      those.push(exchange);
      res.once("close", () => those.splice(those.indexOf(exchange), 1));
    },
    atWork: (socket) => due.get(socket)?.length ?? 0,
    refuse: (error, socket) => {
      if (told.has(socket)) return;
      if (!socket.writable || error.code === "ECONNRESET") {
        socket.destroy();
        return;
      }
      const open = due.get(socket) ?? [];
      const last = open.at(-1);
      const { refusal, why, text } = answerTo(error, odd);
      refused(refusal, why, (socket as Socket).remoteAddress);
      if (last?.req.complete) {
        // Garbage behind a whole request: that one is answered first, then the connection ends.
        told.add(socket);
        last.res.shouldKeepAlive = false;
        if (last.res.headersSent) last.res.once("close", () => socket.destroy());
        return;
      }
      // A broken body: its handler sees the abort; an answer would stand before those of older requests.
      if (open.length > 1 || last?.res.headersSent) socket.destroy();
      else say(socket, text);
    },
  };
};

export const underTls = <S extends Duplex>(socket: S): S => (socket as S & { _parent?: S | null })._parent ?? socket;

interface RawAnswer {
  readonly refusal: Refusal;
  readonly why: string;
  readonly text: string;
}

const answerTo = (error: { code?: string; rawPacket?: Buffer }, odd: (path: string) => Answer): RawAnswer => {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return {
        refusal: "headers_too_large",
        why: "too many bytes of headers",
        text: goText("431 Request Header Fields Too Large"),
      };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { refusal: "timeout", why: "the request did not come in time", text: goText("408 Request Timeout") };
    case "HPE_INVALID_METHOD": {
      const path = oddPath(error.rawPacket?.toString("latin1", 0, 4096) ?? "");
      if (path !== undefined)
        return { refusal: "method", why: "a method that no parser knows", text: rawAnswer(odd(path)) };
      break;
    }
  }
  return { refusal: "bad_request", why: "not HTTP", text: goText("400 Bad Request") };
};

/** The path of a request line that is sound but for its method; undefined: it is not. */
const oddPath = (start: string): string | undefined => {
  const [, line = ""] = /^([^\r\n]*)\r?\n/.exec(start) ?? [];
  const [method = "", target = "", version = "", ...more] = line.split(" ", 4);
  const sound =
    more.length === 0 &&
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method) &&
    /^\/\S*$/.test(target) &&
    /^HTTP\/1\.[01]$/.test(version);
  return sound ? target.split("?", 1)[0] : undefined;
};

/** The way Go's server refuses by itself: the status line's text is the body, its length is told by the close. */
export const goText = (text: string): string =>
  `HTTP/1.1 ${text}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${text}`;

/** An answer as text, for a socket that has no response object; the connection ends behind it. */
export const rawAnswer = (answer: Answer): string => {
  const body = answer.body ?? "";
  const headers = { ...answer.headers, "Content-Length": String(Buffer.byteLength(body)), Connection: "close" };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${lines.join("")}\r\n${body}`;
};
