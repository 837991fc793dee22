import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { ServerTls } from "./certificates.ts";
import { pour } from "./pour.ts";
import { secured } from "./secured.ts";

export interface TakenMail {
  readonly tls: boolean;
  /** The AUTH lines of the connection as they came. */
  readonly auth: readonly string[];
  readonly from: string;
  readonly to: readonly string[];
  readonly data: string;
}

export interface SmtpOptions {
  readonly certified?: ServerTls;
  /** The answer to an AUTH line or to what follows it; absent: taken. */
  readonly login?: (line: string) => string;
  /** The answer to a command in place of its usual one; `DATA` is asked a second time, with `.`, when the mail is over. */
  readonly reply?: (verb: string) => string | undefined;
  /** At the end of a mail: the connection is reset, nothing is answered, or the answer has no end. */
  readonly fault?: "reset" | "hang" | "endless";
}

/** A mail server that speaks every mechanism, takes everything, and remembers what was said. */
export const openSmtp = async (options: SmtpOptions = {}) => {
  const mails: TakenMail[] = [];
  const sockets = new Set<Socket>();
  const { certified, login = () => "235 ok" } = options;
  let connections = 0;
  let poured = 0;
  const told = (bytes: number): void => {
    poured += bytes;
  };

  const serve = (socket: Socket, tls: boolean): void => {
    let rest = "";
    let auth: string[] = [];
    let from = "";
    let to: string[] = [];
    let data: string[] | undefined;
    let pending = false;
    const say = (text: string) => socket.write(`${text}\r\n`);
    /** The usual answer or the one that is asked for; true: the usual one. */
    const answer = (verb: string, usual: string): boolean => {
      const other = options.reply?.(verb);
      say(other ?? usual);
      return other === undefined;
    };
    const hear = (line: string): boolean => {
      if (data) {
        if (line !== ".") data.push(line.replace(/^\./, ""));
        else {
          if (options.fault === "reset") socket.resetAndDestroy();
          if (options.fault === "endless") pour(socket, told);
          if (options.fault) return false;
          if (answer(".", "250 queued")) mails.push({ tls, auth, from, to, data: data.join("\r\n") });
          data = undefined;
          to = [];
        }
        return true;
      }
      const verb = line.slice(0, 4).toUpperCase();
      if (pending || verb === "AUTH") {
        auth = pending ? [...auth, line] : [line];
        const answer = login(line);
        pending = answer.startsWith("334");
        say(answer);
      } else if (verb === "EHLO")
        say(["250-fake", ...(certified && !tls ? ["250-STARTTLS"] : []), "250 AUTH PLAIN LOGIN"].join("\r\n"));
      else if (verb === "STAR") {
        say("220 go");
        upgrade();
        return false;
      } else if (verb === "MAIL") {
        from = /<(.*?)>/.exec(line)?.[1] ?? "";
        answer(verb, "250 ok");
      } else if (verb === "RCPT") {
        to.push(/<(.*?)>/.exec(line)?.[1] ?? "");
        answer(verb, "250 ok");
      } else if (verb === "DATA") {
        if (answer(verb, "354 go")) data = [];
      } else if (verb === "QUIT") socket.end("221 bye\r\n");
      else say("250 ok");
      return true;
    };
    const read = (chunk: Buffer) => {
      rest += chunk.toString();
      for (let end = rest.indexOf("\r\n"); end >= 0; end = rest.indexOf("\r\n")) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (!hear(line)) return;
      }
    };
    const upgrade = () => {
      socket.removeListener("data", read);
      if (certified) serve(secured(socket, certified), true);
    };
    socket.on("error", () => {});
    socket.on("data", read);
  };
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serve(socket, false);
    socket.write("220 fake ESMTP\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    /** Opened so far. */
    connections: () => connections,
    /** Open now. */
    open: () => sockets.size,
    /** Bytes without end that were handed to connections. */
    poured: () => poured,
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
