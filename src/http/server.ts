import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { HubConfig } from "../config/types.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { SourceHost } from "../sdk/source.ts";
import { createAlertPost, requests, type TakeAlerts } from "./alerts.ts";
import { type Answer, give, notFound, textAnswer, wrongMethod } from "./answer.ts";
import { createApp, type Family } from "./app.ts";
import { createAuth } from "./auth.ts";
import { createBudget } from "./budget.ts";
import { openCertificates } from "./certificates.ts";
import { type Shared, serve } from "./exchange.ts";
import { createGate } from "./gate.ts";
import { health, type Readiness } from "./health.ts";
import { createListener, type Listener, type ListenerOptions } from "./listener.ts";
import { parseTarget, redirectToClean } from "./path.ts";
import { scrape } from "./scrape.ts";
import { createSourceListen, type SourceHandle, sourceRequest } from "./source-listener.ts";
import { testEndpoint } from "./test-alert.ts";

export type ServerConfig = Pick<HubConfig, "listenaddress" | "listenport" | "tlsserver" | "auth" | "limits">;

export interface ServerDeps {
  readonly config: ServerConfig;
  readonly take: TakeAlerts;
  readonly ready: () => Readiness;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Paths of sources on the hub's own port. */
  readonly route?: (path: string) => SourceHandle | undefined;
  /** Further endpoint families (the web page and its API). */
  readonly families?: readonly Family[];
  /** Requests at work together, beyond which POSTs are answered 503. */
  readonly maxRequests?: number;
  /** How often the certificate files are looked at. */
  readonly certificateCheckMs?: number;
}

export interface HubServer {
  /** Resolves when every port listens; rejects with the reason when one cannot. */
  listen(): Promise<void>;
  /** URLs of the ports that listen, the alert port first. */
  addresses(): readonly string[];
  /** `SourceHost.listen`, sharing the bounds of this server; metrics know these ports as `sources`. */
  readonly listenForSource: SourceHost["listen"];
  /** Bytes of bodies in memory. */
  inflightBytes(): number;
  /** `/readyz` answers 503 and connections are closed behind their answers; POSTs are still taken. */
  drain(): void;
  /** New requests are refused (503), open ones are answered; resolves at the latest after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

/** `source` label of what comes over ports of the sources' own. */
const ownPorts = "sources";

const everything = (): boolean => true;

export const createServer = (deps: ServerDeps): HubServer => {
  const { config, metrics, log } = deps;
  const { limits, tlsserver } = config;
  const gate = createGate(deps.maxRequests ?? 2000);
  const budget = createBudget(Math.max(limits.maxinflightbytes, limits.maxbodybytes));
  const sharedBy = (source: string): Shared => ({
    gate,
    budget,
    maxBodyBytes: limits.maxbodybytes,
    log,
    refused: (refusal, status) => {
      metrics.intakeRejected(source, refusal, 1);
      if (status === 400 || status === 413 || status === 415) metrics.input(source, "rejected", 1);
    },
  });
  const shared = sharedBy(requests);
  const authorize = createAuth(config.auth);
  const ready = (): Readiness => {
    const { ok, reasons } = deps.ready();
    return gate.phase === "open" ? { ok, reasons } : { ok: false, reasons: [...reasons, "shutting down"] };
  };
  const app = createApp(
    [
      health(ready),
      scrape(metrics),
      testEndpoint(deps.take, metrics, authorize, shared, deps.now),
      ...(deps.families ?? []),
    ],
    shared,
  );
  const postAlerts = createAlertPost(deps.take, metrics, authorize, shared);

  const postToSource = (req: IncomingMessage, res: ServerResponse, path: string, handle: SourceHandle): void => {
    const work = (body: Parameters<typeof sourceRequest>[2]) => handle(sourceRequest(req, path, body));
    void serve(req, res, shared, limits.maxbodybytes, work, () => authorize(req.headers.authorization));
  };

  /** Looks up as Go's router does: a clean path, a named path that is served here, else the catch-all if it is. */
  const front =
    (serves: (path: string) => boolean) =>
    (req: IncomingMessage, res: ServerResponse): void => {
      if (gate.phase !== "open") res.shouldKeepAlive = false;
      const target = parseTarget(req.url ?? "/");
      if (!target) {
        give(req, res, textAnswer(400, "400 Bad Request"));
        return;
      }
      const moved = redirectToClean(req.method ?? "", target);
      const { path } = target;
      const source = path === "/" ? undefined : deps.route?.(path);
      if (moved) give(req, res, moved);
      else if (source && serves("/")) postToSource(req, res, path, source);
      else if (path !== "/" && serves(path) && app.claims(path)) {
        req.url = path + target.query;
        void app.handle(req, res);
      } else if (!serves("/")) give(req, res, notFound);
      else if (req.method === "POST") void postAlerts(req, res);
      else give(req, res, wrongMethod);
    };

  const odd = (path: string): Answer =>
    path === "/ping"
      ? textAnswer(200, "pong\n")
      : path === "/healthz"
        ? textAnswer(200, '{"status": "ok"}')
        : wrongMethod;

  const options = (port: number, serves: (path: string) => boolean): ListenerOptions => ({
    host: config.listenaddress,
    port,
    requestTimeoutMs: limits.requesttimeoutMs,
    maxConnections: limits.maxconnections,
    log,
    handle: front(serves),
    odd,
  });

  let listeners: readonly Listener[] = [];
  let following: { close(): void } | undefined;
  const listenTls = async (): Promise<readonly Listener[]> => {
    if (tlsserver.mutualtls && tlsserver.cacertfile === "") throw new Error("tlsserver.mutualtls needs cacertfile");
    const files = { ...tlsserver, cacertfile: tlsserver.mutualtls ? tlsserver.cacertfile : "" };
    const known = tlsserver.notlspaths.filter((path) => path === "/" || app.claims(path));
    for (const path of tlsserver.notlspaths) {
      if (!known.includes(path)) log.warn(`tlsserver.notlspaths has unknown path '${path}'`);
    }
    const certificates = await openCertificates(files);
    const secure = await createListener({
      ...options(config.listenport, (path) => !known.includes(path)),
      tls: certificates.tls,
    });
    following = certificates.follow(deps.certificateCheckMs ?? 10_000, log, secure.setTls);
    if (known.length === 0) return [secure];
    try {
      return [secure, await createListener(options(tlsserver.notlsport, (path) => known.includes(path)))];
    } catch (error) {
      await secure.close(0);
      throw error;
    }
  };

  return {
    listen: async () => {
      listeners = tlsserver.deploy ? await listenTls() : [await createListener(options(config.listenport, everything))];
    },
    addresses: () => listeners.map((listener) => listener.url),
    listenForSource: createSourceListen(sharedBy(ownPorts), {
      requestTimeoutMs: limits.requesttimeoutMs,
      maxConnections: limits.maxconnections,
      closeMs: 1000,
      wire: (bytes) => metrics.intakeBytes(ownPorts, bytes),
    }),
    inflightBytes: budget.used,
    drain: () => {
      if (gate.phase === "open") gate.phase = "draining";
    },
    close: async (deadlineMs) => {
      gate.phase = "closed";
      following?.close();
      await Promise.all(listeners.map((listener) => listener.close(deadlineMs)));
    },
  };
};
