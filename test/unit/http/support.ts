import { connect, type Socket } from "node:net";
import type { AlertLimits } from "../../../src/config/types.ts";
import { createServer, type HubServer, type ServerConfig, type ServerDeps } from "../../../src/http/server.ts";
import { createLogger } from "../../../src/log/log.ts";
import { createMetrics, type Metrics } from "../../../src/metrics/metrics.ts";

export interface Started {
  readonly server: HubServer;
  readonly port: number;
  readonly url: string;
  readonly metrics: Metrics;
  /** Texts that the intake was given. */
  readonly taken: string[];
  readonly logged: string[];
  /** One sample of the metrics page, 0 when absent. */
  sample(series: string): Promise<number>;
}

export type ConfigOver = {
  readonly [K in keyof ServerConfig]?: ServerConfig[K] extends object ? Partial<ServerConfig[K]> : ServerConfig[K];
};

/** The defaults. */
export const alertLimits: AlertLimits = {
  maxalertbytes: 1 << 20,
  maxfields: 10_000,
  maxfieldname: 512,
  maxname: 512,
  maxtags: 256,
  maxtaglength: 512,
  maxrefused: 1000,
};

export const makeConfig = (over: ConfigOver = {}): ServerConfig => ({
  listenaddress: over.listenaddress ?? "127.0.0.1",
  listenport: over.listenport ?? 0,
  tlsserver: {
    deploy: false,
    certfile: "",
    keyfile: "",
    mutualtls: false,
    cacertfile: "",
    notlsport: 0,
    notlspaths: [],
    ...over.tlsserver,
  },
  auth: { token: "", tokens: {}, ...over.auth },
  limits: {
    maxbodybytes: 32 << 20,
    maxinflightbytes: 64 << 20,
    maxrequests: 2000,
    requesttimeout: 60_000,
    bodytimeout: 30_000,
    maxconnections: 1000,
    maxcompressionratio: 100,
    ...alertLimits,
    ...over.limits,
  },
  metrics: { token: "", extralabels: [], maxseries: 10_000, maxbytes: 4 << 20, maxlabel: 128, ...over.metrics },
});

/** A server on a free port of the loopback with an intake that takes everything; closed when the test ends. */
export const start = async (
  t: { after(fn: () => Promise<void>): void },
  config: ConfigOver = {},
  deps: Partial<ServerDeps> = {},
): Promise<Started> => {
  const taken: string[] = [];
  const logged: string[] = [];
  const metrics = createMetrics({ process: false, now: () => 0 });
  const log = createLogger({ format: "json", level: "debug", secrets: [] }, { write: (line) => logged.push(line) });
  const server = createServer({
    config: makeConfig(config),
    take: async (text) => {
      taken.push(text);
      return { accepted: 1, rejected: [] };
    },
    ready: () => ({ ok: true, reasons: [] }),
    metrics,
    log,
    now: () => Date.parse("2026-11-21T02:52:59.999Z"),
    ...deps,
  });
  t.after(() => server.close(0));
  await server.listen();
  const url = server.addresses()[0]!;
  const sample = async (series: string): Promise<number> => {
    const line = (await metrics.expose()).split("\n").find((one) => one.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  };
  return { server, port: Number(new URL(url).port), url, metrics, taken, logged, sample };
};

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** A `100 Continue` came first. */
  readonly continued: boolean;
}

/** Everything that comes back until the connection ends; a reset after an answer keeps the answer. */
export const readAll = async (socket: Socket): Promise<string> => {
  let text = "";
  socket.on("data", (data: Buffer) => {
    text += data.toString("latin1");
  });
  // An answer may come while much is still being sent: what was sent in vain is an error of the socket, not of the answer.
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.from(text, "latin1").toString("utf8");
};

/** Sends the bytes as they are, and reads until the server ends the connection. */
export const sendRaw = (port: number, ...parts: readonly (string | Buffer)[]): Promise<string> => {
  const socket = connect(port, "127.0.0.1");
  for (const part of parts) socket.write(part);
  return readAll(socket);
};

export const parseReply = (text: string): Reply => {
  const continued = text.startsWith("HTTP/1.1 100 Continue\r\n\r\n");
  const rest = continued ? text.slice(text.indexOf("\r\n\r\n") + 4) : text;
  const end = rest.indexOf("\r\n\r\n");
  const [first = "", ...lines] = rest.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
  return { status: Number(first.split(" ")[1]), headers, body: rest.slice(end + 4), continued };
};

export const request = async (port: number, ...parts: readonly (string | Buffer)[]): Promise<Reply> =>
  parseReply(await sendRaw(port, ...parts));

/** A POST with a length and `Connection: close`. */
export const post = (
  port: number,
  body: string | Buffer,
  headers: readonly string[] = [],
  path = "/",
): Promise<Reply> =>
  request(
    port,
    [`POST ${path} HTTP/1.1`, "Host: x", "Connection: close", ...headers, `Content-Length: ${Buffer.byteLength(body)}`]
      .join("\r\n")
      .concat("\r\n\r\n"),
    body,
  );
