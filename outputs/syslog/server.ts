import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Alert, priorityLevel } from "../../src/sdk/alert.ts";
import { DeliveryError, type DeliveryFault } from "../../src/sdk/errors.ts";
import { goValue } from "../../src/sdk/field-text.ts";
import type { TlsMaterial } from "../../src/sdk/output.ts";

/** Severity as syslog counts it: Emergency 0 … Debug 7. */
export const severityOf = (alert: Alert): number => 8 - priorityLevel(alert.priority);

const cefSeverities = [10, 9, 8, 7, 6, 4, 3, 0];

/** ArcSight's format as falcosidekick writes it, with what would break its grammar escaped. */
export const cefOf = (alert: Alert): string => {
  const fields = Object.entries(alert.output_fields).map(([name, value]) => `${name}:${goValue(value)}`);
  const extension: readonly (readonly [string, string | undefined])[] = [
    ["uuid", alert.uuid],
    ["start", alert.time.replace(/\.\d+/, "")],
    ["msg", alert.output],
    ["source", alert.source],
    ["hostname", alert.hostname || undefined],
    ["outputfields", fields.join(" ")],
    ["tags", alert.tags.length > 0 ? alert.tags.join(",") : undefined],
  ];
  const rule = alert.rule.replaceAll(/[\\|]/g, "\\$&").replaceAll(/[\r\n]+/g, " ");
  const head = `CEF:0|Falcosecurity|Falco|1.0|Falco Event|${rule}|${cefSeverities[severityOf(alert)]}|`;
  return (
    head + extension.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${escaped(value)}`])).join(" ")
  );
};

const escaped = (text: string): string =>
  text.replaceAll(/[\\=]/g, "\\$&").replaceAll("\r", "\\r").replaceAll("\n", "\\n");

export interface Server {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial;
}

const fault = (message: string, more: Partial<DeliveryFault> = {}): DeliveryError =>
  new DeliveryError(message, { reason: "network", retryable: true, ...more });

const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "error");

/** One datagram each. Nothing confirms them: a port that nobody listens on is noticed where its host says so. */
export const sendDatagrams = async (messages: readonly string[], { host, port }: Server, signal: AbortSignal) => {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const abort = (): void => failed.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const dead: number[] = [];
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
          if (error) dead.push(index);
          resolve();
        }),
      );
    await new Promise((resolve) => setTimeout(resolve, refusalMs));
  };
  try {
    await Promise.race([send(), failed.promise]);
  } catch (error) {
    if (signal.aborted) throw fault("the syslog server's name or network gave no answer", { reason: "timeout" });
    throw fault(`the syslog server is not reached (${codeOf(error)})`);
  } finally {
    signal.removeEventListener("abort", abort);
    socket?.close();
  }
  if (dead.length > 0) throw fault("too long for a datagram", { reason: "too_large", retryable: false, failed: dead });
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
    if (signal.aborted) throw fault("the syslog server did not answer in time", { reason: "timeout" });
    const code = codeOf(error);
    const untrusted = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_|ERR_SSL_)/.test(code);
    throw fault(`the syslog server is not reached (${code})`, untrusted ? { reason: "tls" } : {});
  } finally {
    clearTimeout(farewell);
    signal.removeEventListener("abort", abort);
    socket.destroy();
  }
};
