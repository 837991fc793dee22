import type { Logger } from "pino";
import type { HubConfig } from "../config/types.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { countIn } from "../pipeline/counts.ts";
import type { SourceHost } from "../sdk/source.ts";
import { createAlertPost, requests, type TakeAlerts } from "./alerts.ts";
import { createApp, type Family } from "./app.ts";
import { type AuthSettings, createAuth } from "./auth.ts";
import { type CredentialParts, credentialCheckMs } from "./credentials.ts";
import type { Door, DoorLimits, DoorState } from "./door.ts";
import { createDoors, type Doors } from "./doors.ts";
import { createFront, oddMethod } from "./front.ts";
import type { Phase } from "./gate.ts";
import { health, type Readiness } from "./health.ts";
import type { Listener, ListenerOptions } from "./listener.ts";
import { openPorts, type Ports } from "./ports.ts";
import { scrape } from "./scrape.ts";
import { createSourceListen } from "./source-listener.ts";
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

const doorLimits = (limits: ServerConfig["limits"], maxRequests = limits.maxrequests): DoorLimits => ({
  maxBodyBytes: limits.maxbodybytes,
  maxInflightBytes: limits.maxinflightbytes,
  maxRequests,
  bodyTimeoutMs: limits.bodytimeout,
  maxRatio: limits.maxcompressionratio,
});

const listenForSource = (
  source: string,
  doors: Doors,
  limits: ServerConfig["limits"],
  metrics: Metrics,
): SourceHost["listen"] => {
  const own = doors.make(source, source);
  return createSourceListen(own, {
    requestTimeoutMs: limits.requesttimeout,
    maxConnections: limits.maxconnections,
    closeMs: 1000,
    wire: (bytes) => metrics.intakeBytes(source, bytes),
    opened: (listener) => doors.opened(own, listener),
  });
};

export const createServer = (deps: ServerDeps): HubServer => {
  const { config, metrics, log } = deps;
  const { limits } = config;
  const phase: Phase = { now: "open" };
  const doors = createDoors({
    phase,
    limits: doorLimits(limits, deps.maxRequests),
    metrics,
    log,
  });
  const door = doors.make(alertPort, requests);
  let tokens: DoorTokens = { alerts: config.auth, metrics: { token: config.metrics.token, tokens: {} } };
  const authorize = createAuth(() => tokens.alerts);
  const alerts = { take: deps.take, metrics, counts: countIn(metrics), authorize, door };
  const ready = (): Readiness => {
    const { ok, reasons } = deps.ready();
    const open = phase.now === "open";
    const all = [...reasons, ...doors.saturated(), ...(open ? [] : ["shutting down"])];
    return { ok: ok && open && !door.state().refusing, reasons: all };
  };
  const app = createApp(
    [health(ready), scrape(metrics, () => tokens.metrics), testEndpoint(alerts, deps.now), ...(deps.families ?? [])],
    door,
  );

  const options = (at: Door, serves: (path: string) => boolean): Omit<ListenerOptions, "port"> => {
    const postAlerts = createAlertPost({ ...alerts, door: at, ...(deps.loops && { loops: deps.loops }) });
    return {
      host: config.listenaddress,
      requestTimeoutMs: limits.requesttimeout,
      maxConnections: limits.maxconnections,
      log,
      handle: createFront({ door: at, app, serves, postAlerts }),
      odd: oddMethod,
      refused: at.refused,
    };
  };

  const credentials: CredentialParts = {
    everyMs: deps.credentialCheckMs ?? credentialCheckMs,
    log,
    reloaded: (outcome) => metrics.credentialReload("tlsserver", outcome),
  };
  let ports: Ports | undefined;
  const listeners = (): readonly Listener[] => (ports ? [ports.alerts, ...(ports.plain ? [ports.plain] : [])] : []);

  return {
    listen: async () => {
      const plain = doors.make(plainPort, requests);
      ports = await openPorts({
        config,
        claims: app.claims,
        credentials,
        alertPort: (serves) => options(door, serves),
        plainPort: (serves) => options(plain, serves),
      });
      doors.opened(door, ports.alerts);
      if (ports.plain) doors.opened(plain, ports.plain);
    },
    setTokens: (next) => {
      tokens = next;
    },
    addresses: () => listeners().map((listener) => listener.url),
    listenForSource: (source) => listenForSource(source, doors, limits, metrics),
    inflightBytes: doors.bytes,
    listeners: doors.listeners,
    drain: () => {
      if (phase.now === "open") phase.now = "draining";
    },
    close: async (deadlineMs) => {
      phase.now = "closed";
      ports?.unfollow();
      await Promise.all(listeners().map((listener) => listener.close(deadlineMs)));
    },
  };
};
