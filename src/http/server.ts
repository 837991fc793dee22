import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { HubConfig } from "../config/types.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { SourceHost } from "../sdk/source.ts";
import { createAlertPost, requests, type TakeAlerts } from "./alerts.ts";
import { type Answer, give, jsonAnswer, notFound, textAnswer, wrongMethod } from "./answer.ts";
import { createApp, type Family } from "./app.ts";
import { type AuthSettings, createAuth } from "./auth.ts";
import { openCertificates } from "./certificates.ts";
import { credentialCheckMs } from "./credentials.ts";
import { createDoor, type Door, type DoorState } from "./door.ts";
import type { Refusal } from "./errors.ts";
import { serve } from "./exchange.ts";
import type { Phase } from "./gate.ts";
import { health, type Readiness } from "./health.ts";
import { createListener, type Listener, type ListenerOptions } from "./listener.ts";
import { longestTarget, parseTarget, redirectToClean } from "./path.ts";
import { scrape } from "./scrape.ts";
import { createSourceListen, type SourceHandle, sourceHead, sourceRequest } from "./source-listener.ts";
import { testEndpoint } from "./test-alert.ts";

export type ServerConfig = Pick<
  HubConfig,
  "listenaddress" | "listenport" | "tlsserver" | "auth" | "limits" | "metrics"
>;

export interface ServerDeps {
  readonly config: ServerConfig;
  readonly take: TakeAlerts;
  readonly ready: () => Readiness;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Marks of alerts that this hub sent itself (`loopMark`). */
  readonly loops?: ReadonlySet<string>;
  /** Paths of sources on the hub's own port. */
  readonly route?: (path: string) => SourceHandle | undefined;
  /** Further endpoint families (the web page and its API). */
  readonly families?: readonly Family[];
  /** Requests at work together, beyond which POSTs are answered 503. */
  readonly maxRequests?: number;
  /** How often the certificate files are looked at. */
  readonly credentialCheckMs?: number;
}

export interface HubServer {
  /** Resolves when every port listens; rejects with the reason when one cannot. */
  listen(): Promise<void>;
  /** URLs of the ports that listen, the alert port first. */
  addresses(): readonly string[];
  /** `SourceHost.listen` for the source of this id, which is the label of its ports; each port has bounds of its own. */
  listenForSource(source: string): SourceHost["listen"];
  /** Bytes of bodies in memory. */
  inflightBytes(): number;
  /** From now on these are asked for. */
  setTokens(tokens: DoorTokens): void;
  /** What is at work at each listener. */
  listeners(): readonly (DoorState & { readonly connections: number })[];
  /** `/readyz` answers 503 and connections are closed behind their answers; POSTs are still taken. */
  drain(): void;
  /** New requests are refused (503), open ones are answered; resolves at the latest after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

/** Whom the alert port and `/metrics` let in. */
export interface DoorTokens {
  readonly alerts: AuthSettings;
  readonly metrics: AuthSettings;
}

/** Labels of the hub's own listeners. */
const [alertPort, plainPort] = ["alerts", "alerts_plain"];

const longPath = jsonAnswer(414, { error: `the path is longer than ${longestTarget} characters` });

const everything = (): boolean => true;

export const createServer = (deps: ServerDeps): HubServer => {
  const { config, metrics, log } = deps;
  const { limits, tlsserver } = config;
  const phase: Phase = { now: "open" };
  const doors = new Map<Door, Listener>();
  const doorOf = (listener: string, source: string): Door =>
    createDoor({
      listener,
      source,
      phase,
      limits: {
        maxBodyBytes: limits.maxbodybytes,
        maxInflightBytes: limits.maxinflightbytes,
        maxRequests: deps.maxRequests ?? limits.maxrequests,
        bodyTimeoutMs: limits.bodytimeoutMs,
        maxRatio: limits.maxcompressionratio,
      },
      metrics,
      log,
    });
  const door = doorOf(alertPort, requests);
  let tokens: DoorTokens = { alerts: config.auth, metrics: { token: config.metrics.token, tokens: {} } };
  const authorize = createAuth(() => tokens.alerts);
  const alerts = { take: deps.take, metrics, authorize, door };
  const ready = (): Readiness => {
    const { ok, reasons } = deps.ready();
    const full = [...doors.keys()].flatMap((one) => one.state().saturated ?? []);
    const all = [...reasons, ...full, ...(phase.now === "open" ? [] : ["shutting down"])];
    return { ok: ok && phase.now === "open" && !door.state().refusing, reasons: all };
  };
  const app = createApp(
    [health(ready), scrape(metrics, () => tokens.metrics), testEndpoint(alerts, deps.now), ...(deps.families ?? [])],
    door,
  );

  const postToSource = (
    req: IncomingMessage,
    res: ServerResponse,
    at: Door,
    path: string,
    handle: SourceHandle,
  ): void => {
    void serve(req, res, at, {
      admit: () => void authorize(req.headers.authorization),
      run: (body) => handle(sourceRequest(sourceHead(req, path), body)),
    });
  };

  /** Looks up as Go's router does: a clean path, a named path that is served here, else the catch-all if it is. */
  const front = (at: Door, serves: (path: string) => boolean) => {
    const postAlerts = createAlertPost({ ...alerts, door: at, ...(deps.loops && { loops: deps.loops }) });
    return (req: IncomingMessage, res: ServerResponse): void => {
      const turnAway = (answer: Answer, refusal: Refusal, why: string): void => {
        at.refused(refusal, why, req.socket.remoteAddress);
        give(req, res, answer);
      };
      if (phase.now !== "open") res.shouldKeepAlive = false;
      const url = req.url ?? "/";
      const long = url.length > longestTarget;
      const target = long ? undefined : parseTarget(url);
      if (!target) {
        if (long) turnAway(longPath, "uri_too_long", "a path that is too long");
        else turnAway(textAnswer(400, "400 Bad Request"), "bad_request", "a target that is no path");
        return;
      }
      const moved = redirectToClean(req.method ?? "", target);
      const { path } = target;
      const source = path === "/" ? undefined : deps.route?.(path);
      if (moved) turnAway(moved, "moved", "a path with //, . or ..: the sender is told the clean one");
      else if (source && serves("/")) postToSource(req, res, at, path, source);
      else if (path !== "/" && serves(path) && app.claims(path)) {
        req.url = path + target.query;
        if (target.authority !== undefined) req.headers.host = target.authority;
        void app.handle(req, res);
      } else if (!serves("/")) turnAway(notFound, "not_found", "a path that is not served on this port");
      else if (req.method === "POST") void postAlerts(req, res);
      else turnAway(wrongMethod, "method", "a method other than POST on a path that takes alerts");
    };
  };

  const odd = (path: string): Answer =>
    path === "/ping"
      ? textAnswer(200, "pong\n")
      : path === "/healthz"
        ? textAnswer(200, '{"status": "ok"}')
        : wrongMethod;

  const options = (at: Door, port: number, serves: (path: string) => boolean): ListenerOptions => ({
    host: config.listenaddress,
    port,
    requestTimeoutMs: limits.requesttimeoutMs,
    maxConnections: limits.maxconnections,
    log,
    handle: front(at, serves),
    odd,
    refused: at.refused,
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
      ...options(door, config.listenport, (path) => !known.includes(path)),
      tls: certificates.tls,
    });
    following = certificates.follow(
      {
        everyMs: deps.credentialCheckMs ?? credentialCheckMs,
        log,
        reloaded: (outcome) => metrics.credentialReload("tlsserver", outcome),
      },
      secure.setTls,
    );
    if (known.length === 0) return [secure];
    const plain = doorOf(plainPort, requests);
    try {
      const open = await createListener(options(plain, tlsserver.notlsport, (path) => known.includes(path)));
      doors.set(plain, open);
      return [secure, open];
    } catch (error) {
      await secure.close(0);
      throw error;
    }
  };

  return {
    listen: async () => {
      listeners = tlsserver.deploy
        ? await listenTls()
        : [await createListener(options(door, config.listenport, everything))];
      doors.set(door, listeners[0] as Listener);
    },
    setTokens: (next) => {
      tokens = next;
    },
    addresses: () => listeners.map((listener) => listener.url),
    listenForSource: (source) => {
      const own = doorOf(source, source);
      return createSourceListen(own, {
        requestTimeoutMs: limits.requesttimeoutMs,
        maxConnections: limits.maxconnections,
        closeMs: 1000,
        wire: (bytes) => metrics.intakeBytes(source, bytes),
        opened: (listener) => {
          doors.set(own, listener);
          return () => doors.delete(own);
        },
      });
    },
    inflightBytes: () => [...doors.keys()].reduce((sum, one) => sum + one.budget.used(), 0),
    listeners: () => [...doors].map(([one, listener]) => ({ ...one.state(), connections: listener.connections() })),
    drain: () => {
      if (phase.now === "open") phase.now = "draining";
    },
    close: async (deadlineMs) => {
      phase.now = "closed";
      following?.close();
      await Promise.all(listeners.map((listener) => listener.close(deadlineMs)));
    },
  };
};
