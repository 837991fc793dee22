/** Dead letters that are being sent again or thrown away, one such move a lane at a time. It lives in this process: a restart ends it. */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { type Queue, QueueError } from "../queue/queue.ts";
import { HttpError } from "./errors.ts";
import { laneNames } from "./letter-list.ts";

export type Kind = "redrive" | "discard";

/** As it is shown. `letters`: how many have gone so far. */
export interface Move {
  readonly id: string;
  readonly lane: string;
  readonly output?: string;
  readonly state: "running" | "done" | "cancelled" | "failed";
  readonly letters: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly error?: string;
}

export interface Moves {
  /** Resolves when it is over, or after `waitMs` while it goes on. Throws HttpError 409 while the lane has one of either kind. */
  start(kind: Kind, lane: string, ids: readonly string[] | undefined, waitMs: number): Promise<Move>;
  /** The last one of every lane that had any. */
  list(kind: Kind): readonly Move[];
  /** Resolves when it has stopped; undefined: the lane has none. */
  cancel(kind: Kind, lane: string): Promise<Move | undefined>;
}

interface Running {
  shown: Move;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  error?: unknown;
}

const words = {
  redrive: { noun: "a redrive", done: "dead letters are sent again", going: "are being sent again" },
  discard: { noun: "a discard", done: "dead letters are discarded", going: "are being discarded" },
} as const;

/** `now`: milliseconds since the epoch. */
export const createMoves = (queue: Pick<Queue, Kind>, log: Logger, now: () => number): Moves => {
  const known = { redrive: new Map<string, Running>(), discard: new Map<string, Running>() };
  const at = () => new Date(now()).toISOString();

  const begin = (kind: Kind, lane: string, ids: readonly string[] | undefined): Running => {
    const { noun, done } = words[kind];
    const stop = new AbortController();
    const shown: Move = { id: randomUUID(), ...laneNames(lane), state: "running", letters: 0, startedAt: at() };
    const show = (more: Partial<Move>) => {
      running.shown = { ...running.shown, ...more };
    };
    const steps = { moved: (letters: number) => show({ letters }), signal: stop.signal };
    const work = async () => {
      try {
        const letters = await queue[kind](lane, ids, steps);
        show({ state: stop.signal.aborted ? "cancelled" : "done", letters, endedAt: at() });
        log.info({ lane, letters }, stop.signal.aborted ? `${noun} was cancelled` : done);
      } catch (error) {
        running.error = error;
        const reason = error instanceof QueueError ? error.message : "it failed";
        show({ state: "failed", endedAt: at(), error: reason });
        const { letters } = running.shown;
        log.warn({ lane, letters }, `${noun} ended early (${reason}): the other letters are dead letters still`);
      }
    };
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const running: Running = { shown, stop, ended };
    void work().then(resolve);
    return running;
  };

  return {
    start: async (kind, lane, ids, waitMs) => {
      for (const other of ["redrive", "discard"] as const)
        if (known[other].get(lane)?.shown.state === "running")
          throw new HttpError(409, "invalid", `this output's dead letters ${words[other].going} already`);
      const running = begin(kind, lane, ids);
      known[kind].set(lane, running);
      let timer: NodeJS.Timeout | undefined;
      const over = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, waitMs);
      });
      await Promise.race([running.ended, over]);
      clearTimeout(timer);
      if (running.error !== undefined) throw running.error;
      return running.shown;
    },
    list: (kind) => [...known[kind].values()].map(({ shown }) => shown),
    cancel: async (kind, lane) => {
      const running = known[kind].get(lane);
      if (running?.shown.state !== "running") return undefined;
      running.stop.abort();
      await running.ended;
      return running.shown;
    },
  };
};
