import { type AddressInfo, createServer, type Socket } from "node:net";
import { pour } from "../fakes/pour.ts";

/**
 * What a server does that knows no protocol: `silent`: nothing; `reset`: RST as soon as it is asked, or at once to those
 * who wait for a greeting; `closed`: FIN at once; `garbage`: a line that no protocol knows; `endless`: bytes without end
 * and without a line's end.
 */
export type RawFault = "silent" | "reset" | "closed" | "garbage" | "endless";

export const openRaw = async (fault: RawFault) => {
  const sockets = new Set<Socket>();
  let written = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.resume();
    if (fault === "closed") socket.end();
    if (fault === "garbage") socket.end("this is no protocol\r\n\r\n");
    if (fault === "reset") {
      socket.once("data", () => socket.resetAndDestroy());
      setTimeout(() => socket.resetAndDestroy(), 50).unref();
    }
    if (fault === "endless") {
      pour(socket, (bytes) => {
        written += bytes;
      });
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    /** Bytes handed to the connections. */
    written: () => written,
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
