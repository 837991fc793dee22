import { closing, overloaded } from "./errors.ts";
import type { OpenBodies } from "./open-bodies.ts";

/** Whether the server still wants requests: one for all of its listeners. */
export interface Phase {
  /** `draining`: requests are served and connections closed behind them. `closed`: requests are refused. */
  now: "open" | "draining" | "closed";
}

/** Bounds the requests at work at one listener. */
export interface Gate {
  /** Throws HttpError 503; otherwise `leave` must follow. When all places are taken the slowest body gives way. */
  enter(): void;
  leave(): void;
  inside(): number;
  readonly max: number;
}

export const createGate = (max: number, phase: Phase, bodies: OpenBodies): Gate => {
  let inside = 0;
  return {
    max,
    inside: () => inside,
    enter: () => {
      if (phase.now === "closed") throw closing();
      if (inside >= max && !bodies.giveWay()) throw overloaded("too many requests at work");
      inside++;
    },
    leave: () => {
      inside--;
    },
  };
};
