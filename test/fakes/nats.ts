import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import type { ServerTls } from "./certificates.ts";
import { pour } from "./pour.ts";
import { secured } from "./secured.ts";

export interface Published {
  readonly subject: string;
  readonly headers: string;
  readonly body: string;
}

export interface NatsOptions {
  /** Told to a client that publishes, as the server tells of a missing permission. */
  readonly refuse?: string;
  /** Told of a missing permission are those who publish what this holds for. */
  readonly refuses?: (body: string) => boolean;
  /** Told to every client that says who it is, before it is sent away. */
  readonly unwelcome?: string;
  readonly maxPayload?: number;
  readonly headers?: boolean;
  /** Answers every publication that asks for it with a stream's sequence number, as JetStream does. */
  readonly jetstream?: boolean;
  /** Takes everything and answers nothing after the handshake. */
  readonly mute?: boolean;
  /** When something is published: the connection is reset, or what is said has no end. */
  readonly fault?: "reset" | "endless";
  readonly tls?: ServerTls;
}

/** The part of the NATS protocol that a publisher sees. */
export const openNats = async (options: NatsOptions = {}) => {
  const published: Published[] = [];
  const connects: Record<string, unknown>[] = [];
  const sockets = new Set<Socket>();
  let poured = 0;
  const told = (bytes: number): void => {
    poured += bytes;
  };
  const server = createServer((plain) => {
    sockets.add(plain);
    plain.on("error", () => {});
    plain.on("close", () => sockets.delete(plain));
    plain.write(`INFO ${JSON.stringify(infoOf(options))}\r\n`);
    const { tls } = options;
    serve(tls ? secured(plain, tls) : plain, plain);
  });
  const serve = (socket: Socket, plain: Socket): void => {
    let rest = Buffer.alloc(0);
    let greeted = false;
    let inbox = "";
    let stored = 0;
    socket.on("error", () => {});
    socket.on("data", (data) => {
      rest = Buffer.concat([rest, data]);
      for (;;) {
        const end = rest.indexOf("\r\n");
        if (end < 0) return;
        const [verb = "", ...args] = rest.toString("utf8", 0, end).split(" ");
        if (verb === "PUB" || verb === "HPUB") {
          const size = Number(args.at(-1));
          if (rest.length < end + 2 + size + 2) return;
          const head = verb === "HPUB" ? Number(args.at(-2)) : 0;
          const whole = rest.subarray(end + 2, end + 2 + size);
          rest = rest.subarray(end + 2 + size + 2);
          if (options.fault === "reset") return void plain.resetAndDestroy();
          if (options.fault === "endless") return void pour(socket, told);
          if (options.refuse) socket.write(`-ERR '${options.refuse}'\r\n`);
          else if (options.refuses?.(whole.toString("utf8", head)))
            socket.write(`-ERR 'Permissions Violation for Publish to "${args[0]}"'\r\n`);
          else
            published.push({
              subject: args[0] ?? "",
              headers: whole.toString("utf8", 0, head),
              body: whole.toString("utf8", head),
            });
          if (options.jetstream && args.length === (head > 0 ? 4 : 3)) {
            const ack = JSON.stringify({ stream: "alerts", seq: ++stored });
            socket.write(`MSG ${args[1]} ${inbox} ${ack.length}\r\n${ack}\r\n`);
          }
          continue;
        }
        if (verb === "SUB") inbox = args.at(-1) ?? "";
        rest = rest.subarray(end + 2);
        if (verb === "CONNECT") connects.push(JSON.parse(args.join(" ")) as Record<string, unknown>);
        if (verb === "CONNECT" && options.unwelcome) return void socket.end(`-ERR '${options.unwelcome}'\r\n`);
        if (verb === "PING" && !(options.mute && greeted)) socket.write("PONG\r\n");
        if (verb === "PING") greeted = true;
      }
    });
  };
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    published,
    connects,
    /** Open now. */
    connections: () => sockets.size,
    /** Bytes without end that were handed to connections. */
    poured: () => poured,
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
};

const infoOf = ({ headers = true, maxPayload = 1_048_576, tls }: NatsOptions) => ({
  server_id: "fake",
  version: "2.10.0",
  proto: 1,
  headers,
  max_payload: maxPayload,
  ...(tls && { tls_required: true }),
});
