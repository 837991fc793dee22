/** Chooses the form of leases that goes with the queue's driver. */

import { fileCheckpoint } from "./checkpoint-file.ts";
import { holdIn, type LeaseDeps, type Leases } from "./lease.ts";
import type { RedisSettings } from "./redis/connect.ts";

export interface LeaseSettings {
  readonly driver: "sqlite" | "redis";
  /** Where the embedded form keeps its checkpoints. */
  readonly dir: string;
  readonly redis?: RedisSettings & { readonly prefix?: string };
}

export async function openLeases(settings: LeaseSettings, deps: LeaseDeps): Promise<Leases> {
  if (settings.driver === "sqlite") return localLeases(settings.dir, deps);
  const { openRedisLeases } = await import("./redis/lease.ts");
  return openRedisLeases({ ...settings.redis }, deps);
}

/** The embedded queue has its folder to itself: whoever asks has the lease, always. */
const localLeases = (dir: string, deps: LeaseDeps): Leases => {
  const checkpoints = new Map<string, ReturnType<typeof fileCheckpoint>>();
  let token = 0;
  const store = {
    acquire: async () => ++token,
    renew: async () => true,
    release: async () => {},
    checkpoint: (name: string) => {
      const one = checkpoints.get(name) ?? fileCheckpoint(dir, `${encodeURIComponent(name)}@lease`);
      checkpoints.set(name, one);
      return one;
    },
  };
  return { hold: (name, work) => holdIn(store, name, work, deps), close: async () => {} };
};
