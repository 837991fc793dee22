import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

export interface SyslogServer {
  /** For `udp` and `tcp` (or `tls`). */
  readonly ports: { readonly udp: number; readonly tcp: number };
  /** Datagrams, and what connections said, in the order of their ends. */
  readonly heard: { readonly protocol: "udp" | "tcp"; readonly text: string }[];
  close(): Promise<void>;
}

/** A syslog server that keeps what it hears; with `tls`, its stream port speaks that. */
export const openSyslog = async (tls?: { readonly cert: string; readonly key: string }): Promise<SyslogServer> => {
  const heard: SyslogServer["heard"] = [];
  const udp = createSocket("udp4", (message) => heard.push({ protocol: "udp", text: message.toString() }));
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  const onSocket = (socket: Socket): void => {
    let text = "";
    socket.on("error", () => {});
    socket.setEncoding("utf8");
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("end", () => {
      heard.push({ protocol: "tcp", text });
      socket.end();
    });
  };
  const tcp: Server = tls ? createTlsServer(tls, onSocket) : createServer({ allowHalfOpen: true }, onSocket);
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  return {
    ports: { udp: udp.address().port, tcp: (tcp.address() as AddressInfo).port },
    heard,
    close: async () => {
      udp.close();
      tcp.close();
      await once(tcp, "close");
    },
  };
};
