import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { ServerTls } from "./certificates.ts";
import { pour } from "./pour.ts";

export interface SyslogServer {
  /** For `udp` and `tcp` (or `tls`). */
  readonly ports: { readonly udp: number; readonly tcp: number };
  /** Datagrams, and what connections said, in the order of their ends. */
  readonly heard: { readonly protocol: "udp" | "tcp"; readonly text: string }[];
  /** Stream connections that are open now. */
  connections(): number;
  /** Bytes without end that were handed to connections. */
  poured(): number;
  close(): Promise<void>;
}

/** A syslog server that keeps what it hears; with `tls`, its stream port speaks that; `fault`: it hangs up when it hears something, or says something without end. */
export const openSyslog = async (tls?: ServerTls, fault?: "reset" | "endless"): Promise<SyslogServer> => {
  const sockets = new Set<Socket>();
  let poured = 0;
  const told = (bytes: number): void => {
    poured += bytes;
  };
  const heard: SyslogServer["heard"] = [];
  const udp = createSocket("udp4", (message) => heard.push({ protocol: "udp", text: message.toString() }));
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  const onSocket = (socket: Socket): void => {
    let text = "";
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    if (fault === "reset") socket.once("data", () => socket.resetAndDestroy());
    if (fault === "endless") socket.once("data", () => pour(socket, told));
    socket.setEncoding("utf8");
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("end", () => {
      heard.push({ protocol: "tcp", text });
      socket.end();
    });
  };
  const tcp: Server = tls ? createTlsServer(demanding(tls), onSocket) : createServer({ allowHalfOpen: true }, onSocket);
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  return {
    ports: { udp: udp.address().port, tcp: (tcp.address() as AddressInfo).port },
    heard,
    connections: () => sockets.size,
    poured: () => poured,
    close: async () => {
      udp.close();
      tcp.close();
      await once(tcp, "close");
    },
  };
};

const demanding = ({ clientCa, ...own }: ServerTls) =>
  clientCa === undefined ? own : { ...own, ca: clientCa, requestCert: true, rejectUnauthorized: true };
