/**
 * Work that one of several processes does at a time, and how far it got. Processes that share a queue share this as well,
 * so each driver brings its form of it: the embedded one in files, where nobody else can be, and Redis's.
 */

import { setTimeout as sleep } from "node:timers/promises";

/** Where somebody left off. Values are small texts; `set` resolves when the value is durable. */
export interface Checkpoint {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}

export interface Lease {
  /** Grows from holder to holder: of two, the larger is the one that counts. */
  readonly token: number;
  /** Aborted when the lease is lost or given back: what is done afterwards others do, too. */
  readonly signal: AbortSignal;
  /** Shared by all who may hold the lease. Once another has held it, `set` rejects with LeaseLostError. */
  readonly checkpoint: Checkpoint;
}

export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
  constructor() {
    super("the lease is lost: another process holds it or has held it");
  }
}

export interface Leases {
  /**
   * Calls `work` each time this process gets the lease of the name: again when it was lost, or when `work` threw, and not
   * when it ended by itself. `close` aborts it and resolves when it has ended and the lease is given back.
   */
  hold(name: string, work: (lease: Lease) => Promise<void>): { close(): Promise<void> };
  /** To be called when nothing is held any more. */
  close(): Promise<void>;
}

/** What leases are kept in. Rejects while it does not answer. */
export interface LeaseStore {
  /** The new holder's token; undefined: another holds it. */
  acquire(name: string, holder: string): Promise<number | undefined>;
  /** False: it is not the holder's any more. */
  renew(name: string, holder: string): Promise<boolean>;
  release(name: string, holder: string): Promise<void>;
  checkpoint(name: string, token: number): Checkpoint;
}

/** Milliseconds each. */
export interface LeaseTimes {
  /** A holder that says nothing has the lease for so long. */
  readonly leaseMs: number;
  readonly renewMs: number;
  /** Between two tries to get it; of an orderly end others hear within this. */
  readonly tryMs: number;
  /** So much earlier than the store a holder takes it for lost: its clock and its last words may be late. */
  readonly marginMs: number;
}

/** After the death of a holder another begins within 11 s, after an orderly end within 1 s. */
export const usualTimes: LeaseTimes = { leaseMs: 10_000, renewMs: 3_000, tryMs: 1_000, marginMs: 1_000 };

export interface LeaseDeps {
  readonly uuid: () => string;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
  /** Hears of work that threw, and of each change between reachable and not. */
  readonly log: (level: "info" | "warn", message: string) => void;
}

const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {});

/** Asks a store; undefined: it does not answer, which is said once. */
const askingFor = (name: string, log: LeaseDeps["log"]) => {
  let away = false;
  return async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      const answer = await ask();
      if (away) log("info", `lease of ${name}: the store answers again`);
      away = false;
      return answer;
    } catch (error) {
      if (!away)
        log("warn", `lease of ${name}: ${error instanceof Error ? error.message : "the store does not answer"}`);
      away = true;
      return undefined;
    }
  };
};

/** Renews a lease that was gained at `since`. Resolves when it is lost, or the work over. */
const keep = async (
  renew: () => Promise<boolean | undefined>,
  since: number,
  over: AbortSignal,
  monotonic: () => number,
  { leaseMs, renewMs, marginMs }: LeaseTimes,
): Promise<void> => {
  let until = since + leaseMs - marginMs;
  while (!over.aborted && monotonic() < until) {
    await pause(Math.min(renewMs, until - monotonic()), over);
    if (over.aborted) return;
    const asked = monotonic();
    const held = await Promise.race([renew(), pause(Math.max(0, until - asked), over).then(() => undefined)]);
    if (held === false) return;
    if (held) until = asked + leaseMs - marginMs;
  }
};

/** The life of a lease in a store. */
export const holdIn = (
  store: LeaseStore,
  name: string,
  work: (lease: Lease) => Promise<void>,
  { uuid, monotonic, log }: LeaseDeps,
  times: LeaseTimes = usualTimes,
): { close(): Promise<void> } => {
  const closing = new AbortController();
  const asking = askingFor(name, log);

  const life = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const holder = uuid();
      const asked = monotonic();
      const token = await asking(() => store.acquire(name, holder));
      if (token === undefined) {
        await pause(times.tryMs, closing.signal);
        continue;
      }
      if (closing.signal.aborted) {
        await store.release(name, holder).catch(() => {});
        return;
      }
      const lost = new AbortController();
      const over = new AbortController();
      const signal = AbortSignal.any([lost.signal, closing.signal]);
      const renew = () => asking(() => store.renew(name, holder));
      const keeping = keep(renew, asked, over.signal, monotonic, times).then(() => lost.abort());
      let ended = false;
      try {
        await work({ token, signal, checkpoint: store.checkpoint(name, token) });
        ended = !signal.aborted;
      } catch (error) {
        if (!signal.aborted && !(error instanceof LeaseLostError))
          log(
            "warn",
            `what is done under the lease of ${name} failed: ${error instanceof Error ? error.name : "error"}`,
          );
      }
      over.abort();
      await keeping;
      await store.release(name, holder).catch(() => {});
      if (ended) return;
      await pause(times.tryMs, closing.signal);
    }
  };
  const living = life();
  return {
    close: async () => {
      closing.abort();
      await living;
    },
  };
};
