import type { TestContext } from "node:test";
import pino from "pino";
import k8saudit from "../../../../sources/k8saudit/index.ts";
import { followCredentials } from "../../../../src/http/credentials.ts";
import { createDoor } from "../../../../src/http/door.ts";
import { followSecrets } from "../../../../src/http/secrets.ts";
import { createSourceListen } from "../../../../src/http/source-listener.ts";
import { createMetrics } from "../../../../src/metrics/metrics.ts";
import type { Incoming } from "../../../../src/sdk/event.ts";
import type { OpenSource, SourceHost } from "../../../../src/sdk/source.ts";

/** A hub that keeps what sources push, listens for them as the real one does, and can refuse. */
export interface Hub {
  readonly host: SourceHost;
  readonly taken: Incoming[];
  readonly drops: string[];
  readonly logged: { readonly msg: string; readonly line?: number }[];
  readonly checkpoints: Map<string, string>;
  gaps: number;
  /** Of the source that is opened. */
  secretFiles: Readonly<Record<string, string>>;
  readonly reloads: string[];
  readonly clock: { ms: number };
  refuse: boolean;
}

export const makeHub = (): Hub => {
  const logged: Hub["logged"] = [];
  const log = pino({ level: "info" }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const door = createDoor({
    listener: "k8saudit",
    source: "k8saudit",
    phase: { now: "open" },
    limits: {
      maxBodyBytes: 64 << 20,
      maxInflightBytes: 256 << 20,
      maxRequests: 1000,
      bodyTimeoutMs: 30_000,
      maxRatio: 100,
    },
    metrics: createMetrics({ process: false, now: () => 0 }),
    log,
  });
  const credentials = { everyMs: 10, log, reloaded: (outcome: string) => void hub.reloads.push(outcome) };
  const hub: Hub = {
    taken: [],
    drops: [],
    logged,
    checkpoints: new Map(),
    gaps: 0,
    secretFiles: {},
    reloads: [],
    clock: { ms: Date.UTC(2026, 10, 21) },
    refuse: false,
    host: {
      push: async (events) => {
        if (hub.refuse) throw new Error("nothing durable is left");
        hub.taken.push(...events);
      },
      listen: createSourceListen(door, { requestTimeoutMs: 60_000, maxConnections: 100, closeMs: 0, wire: () => {} }),
      checkpoint: {
        get: async (key) => hub.checkpoints.get(key),
        set: async (key, value) => {
          hub.checkpoints.set(key, value);
        },
      },
      alerts: () => Promise.reject(new Error("the source brings events")),
      lease: () => {
        throw new Error("the source asks for no lease");
      },
      drop: (count, reason) => {
        for (let i = 0; i < count; i++) hub.drops.push(reason);
      },
      follow: (files, _what, reload) => followCredentials(files, "what", credentials, reload),
      followSecrets: (changed) => followSecrets(k8saudit.fields, hub.secretFiles, credentials, changed),
      gap: () => {
        hub.gaps++;
      },
      log,
      now: () => hub.clock.ms,
    },
  };
  return hub;
};

/** The configuration as a file would give it. */
export const parsed = (config: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(k8saudit.fields).map(([key, field]) => [key, field.parse(config[key])]),
  ) as Parameters<typeof k8saudit.open>[0];

export const openSource = async (
  t: TestContext,
  config: Readonly<Record<string, unknown>>,
  hub: Hub,
): Promise<OpenSource & { readonly port: number }> => {
  const source = await k8saudit.open(parsed(config), hub.host);
  t.after(() => source.close());
  return { port: 0, ...source };
};
