import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { DeliveryError } from "../../src/sdk/errors.ts";
import { type AlertFault, failures } from "../../src/sdk/failures.ts";
import { networkFault } from "../../src/sdk/network.ts";
import type { TlsMaterial } from "../../src/sdk/output.ts";

export interface Server {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial;
}

const late = (message: string): DeliveryError => new DeliveryError(message, { reason: "timeout", retryable: true });

const notReached = (error: unknown): DeliveryError =>
  new DeliveryError(`the syslog server is not reached (${codeOf(error)})`, {
    reason: networkFault(error)?.reason ?? "network",
    retryable: true,
  });

const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "error");

/** One datagram each. Nothing confirms them: a port that nobody listens on is noticed where its host says so. */
export const sendDatagrams = async (messages: readonly string[], { host, port }: Server, signal: AbortSignal) => {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const abort = (): void => failed.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const refused: AlertFault[] = [];
  let socket: DatagramSocket | undefined;
  const send = async (): Promise<void> => {
    const { address, family } = await lookup(host);
    signal.throwIfAborted();
    const own = createSocket(family === 6 ? "udp6" : "udp4");
    socket = own;
    own.on("error", failed.reject);
    await new Promise<void>((resolve) => own.connect(port, address, resolve));
    for (const [index, message] of messages.entries())
      await new Promise<void>((resolve, reject) =>
        own.send(message, (error) => {
          if (error && codeOf(error) !== "EMSGSIZE") return reject(error);
          if (error) refused.push({ index, reason: "too_large", retryable: false });
          resolve();
        }),
      );
    await new Promise((resolve) => setTimeout(resolve, refusalMs));
  };
  try {
    await Promise.race([send(), failed.promise]);
  } catch (error) {
    throw signal.aborted ? late("the syslog server's name or network gave no answer") : notReached(error);
  } finally {
    signal.removeEventListener("abort", abort);
    socket?.close();
  }
  failures(refused, () => "too long for a datagram");
};

/** How long a host may take to say that nobody listens. */
const refusalMs = 10;
/** How long a server may take to close behind the last line. */
const farewellMs = 1000;

/** Lines over one connection, TLS where asked for. Resolves when the server closed behind them, or kept them for a moment. */
export const sendLines = async (lines: readonly string[], server: Server, secure: boolean, signal: AbortSignal) => {
  const { host, port, tls } = server;
  const ended = Promise.withResolvers<void>();
  const socket: Socket = secure
    ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...tls })
    : connect({ host, port });
  let farewell: NodeJS.Timeout | undefined;
  socket.once("error", ended.reject);
  socket.once("close", () => (socket.writableFinished ? ended.resolve() : ended.reject(new Error("closed"))));
  socket.resume();
  const abort = (): void => void socket.destroy(signal.reason instanceof Error ? signal.reason : undefined);
  signal.addEventListener("abort", abort, { once: true });
  socket.once(secure ? "secureConnect" : "connect", () => {
    socket.end(lines.join(""), () => {
      farewell = setTimeout(ended.resolve, farewellMs);
    });
  });
  try {
    await ended.promise;
  } catch (error) {
    throw signal.aborted ? late("the syslog server did not answer in time") : notReached(error);
  } finally {
    clearTimeout(farewell);
    signal.removeEventListener("abort", abort);
    socket.destroy();
  }
};
