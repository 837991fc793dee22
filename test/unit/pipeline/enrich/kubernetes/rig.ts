import type { TestContext } from "node:test";
import { pino } from "pino";
import { createCache } from "../../../../../src/pipeline/enrich/cache.ts";
import { openApi } from "../../../../../src/pipeline/enrich/kubernetes/api.ts";
import { followObjects } from "../../../../../src/pipeline/enrich/kubernetes/provider.ts";
import { type FakeClock, fakeClock } from "../../../../fakes/clock.ts";
import { type ApiObject, type KubeApi, startKubeApi } from "../../../../fakes/kube-api.ts";
import { until } from "../../../../support/until.ts";

export const pod = (uid: string, more: object = {}): ApiObject => ({
  metadata: { uid, name: uid, namespace: "shop", ...more },
  spec: {},
});

/** Follows a fake API server with a clock that stands still. */
export const follow = async (
  t: TestContext,
  first: Parameters<typeof startKubeApi>[0] = [],
  more: {
    readonly maxObjects?: number;
    readonly annotations?: readonly string[];
    readonly tls?: Parameters<typeof startKubeApi>[1];
    readonly files?: { readonly tokenFile?: string; readonly caFile?: string };
    /** Before anything is asked. */
    readonly prepare?: (server: KubeApi) => void;
  } = {},
) => {
  const server = await startKubeApi(first, more.tls);
  more.prepare?.(server);
  const clock = fakeClock();
  const cache = createCache({ maxObjects: more.maxObjects ?? 10_000, graceMs: 60_000, clock: clock.ticks });
  const lines: { readonly level: number; readonly msg: string; readonly resource?: string }[] = [];
  const drops: string[] = [];
  const provider = followObjects(cache, more.annotations ?? [], {
    api: openApi({ url: server.url, ...more.files }),
    log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    clock,
    random: () => 0.5,
    heard: (what, why = "") => {
      if (what === "drop") drops.push(why);
    },
  });
  t.after(async () => {
    await provider.close();
    await server.close();
  });
  const stateOf = (resource: string) => provider.state().find((one) => one.resource === resource);
  const warned = (pattern: RegExp) => lines.filter(({ msg }) => pattern.test(msg)).length;
  const synced = () => until("all is listed", () => provider.state().every((one) => one.synced));
  /** All watches are open. */
  const watching = () => until("all is watched", () => provider.state().every((one) => one.connected));
  return { server, clock, cache, lines, drops, provider, stateOf, warned, synced, watching };
};

/** Lets time go on until it holds: waits between tries end. */
export const passing = (what: string, clock: FakeClock, holds: () => boolean): Promise<void> =>
  until(what, async () => {
    if (holds()) return true;
    await clock.pass(500);
    return holds();
  });
