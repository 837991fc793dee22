/** Dead letters that are being sent again, one redrive a lane at a time. It lives in this process: a restart ends it. */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { type Queue, QueueError } from "../queue/queue.ts";
import { HttpError } from "./errors.ts";
import { laneNames } from "./letter-list.ts";

/** As it is shown. `letters`: how many have gone so far. */
export interface Redrive {
  readonly id: string;
  readonly lane: string;
  readonly output?: string;
  readonly state: "running" | "done" | "cancelled" | "failed";
  readonly letters: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly error?: string;
}

export interface Redrives {
  /** Resolves when it is over, or after `waitMs` while it goes on. Throws HttpError 409 while the lane has one. */
  start(lane: string, ids: readonly string[] | undefined, waitMs: number): Promise<Redrive>;
  /** The last one of every lane that had any. */
  list(): readonly Redrive[];
  /** Resolves when it has stopped; undefined: the lane has none. */
  cancel(lane: string): Promise<Redrive | undefined>;
}

interface Running {
  shown: Redrive;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  error?: unknown;
}

/** `now`: milliseconds since the epoch. */
export const createRedrives = (queue: Pick<Queue, "redrive">, log: Logger, now: () => number): Redrives => {
  const known = new Map<string, Running>();
  const at = () => new Date(now()).toISOString();

  const begin = (lane: string, ids: readonly string[] | undefined): Running => {
    const stop = new AbortController();
    const shown: Redrive = { id: randomUUID(), ...laneNames(lane), state: "running", letters: 0, startedAt: at() };
    const show = (more: Partial<Redrive>) => {
      running.shown = { ...running.shown, ...more };
    };
    const steps = { moved: (letters: number) => show({ letters }), signal: stop.signal };
    const work = async () => {
      try {
        const letters = await queue.redrive(lane, ids, steps);
        show({ state: stop.signal.aborted ? "cancelled" : "done", letters, endedAt: at() });
        log.info({ lane, letters }, stop.signal.aborted ? "a redrive was cancelled" : "dead letters are sent again");
      } catch (error) {
        running.error = error;
        const reason = error instanceof QueueError ? error.message : "it failed";
        show({ state: "failed", endedAt: at(), error: reason });
        const { letters } = running.shown;
        log.warn({ lane, letters }, `a redrive ended early (${reason}): the other letters are dead letters still`);
      }
    };
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const running: Running = { shown, stop, ended };
    void work().then(resolve);
    return running;
  };

  return {
    start: async (lane, ids, waitMs) => {
      if (known.get(lane)?.shown.state === "running")
        throw new HttpError(409, "invalid", "this output's dead letters are being sent again already");
      const running = begin(lane, ids);
      known.set(lane, running);
      let timer: NodeJS.Timeout | undefined;
      const over = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, waitMs);
      });
      await Promise.race([running.ended, over]);
      clearTimeout(timer);
      if (running.error !== undefined) throw running.error;
      return running.shown;
    },
    list: () => [...known.values()].map(({ shown }) => shown),
    cancel: async (lane) => {
      const running = known.get(lane);
      if (running?.shown.state !== "running") return undefined;
      running.stop.abort();
      await running.ended;
      return running.shown;
    },
  };
};
