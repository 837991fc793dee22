import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { underTls } from "./refusals.ts";

/** The connections of one listener. */
export interface Crowd {
  readonly sockets: ReadonlySet<Socket>;
  /** For `connection` of a server. */
  came(socket: Socket): void;
  /** The address of the other side, also when the connection has ended. */
  remoteOf(socket: Socket): string | undefined;
  /** The connection has sent a whole request head. */
  asked(socket: Duplex): void;
}

/**
 * Beyond `max` connections (0: any number) a new one takes the place of the oldest that never asked for anything; where all
 * have asked, the new one is ended and `full` hears of it.
 */
export const createCrowd = (max: number, full: (remote: string | undefined) => void): Crowd => {
  const sockets = new Set<Socket>();
  const silent = new Set<Socket>();
  const remotes = new WeakMap<Socket, string | undefined>();
  return {
    sockets,
    came: (socket) => {
      socket.on("error", () => {});
      remotes.set(socket, socket.remoteAddress);
      if (max > 0 && sockets.size >= max) {
        const [oldest] = silent;
        const ended = oldest ?? socket;
        full(ended.remoteAddress);
        ended.destroy();
        if (!oldest) return;
        silent.delete(oldest);
        sockets.delete(oldest);
      }
      sockets.add(socket);
      silent.add(socket);
      socket.once("close", () => {
        sockets.delete(socket);
        silent.delete(socket);
      });
    },
    remoteOf: (socket) => remotes.get(socket),
    asked: (socket) => void silent.delete(underTls(socket) as Socket),
  };
};
