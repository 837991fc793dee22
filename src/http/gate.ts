import { closing, overloaded } from "./errors.ts";

/** Bounds the requests at work, and knows whether the server still wants any. */
export interface Gate {
  /** Throws HttpError 503; otherwise `leave` must follow. */
  enter(): void;
  leave(): void;
  /** `draining`: requests are served and connections closed behind them. `closed`: requests are refused. */
  phase: "open" | "draining" | "closed";
}

export const createGate = (max: number): Gate => {
  let inside = 0;
  const gate: Gate = {
    phase: "open",
    enter: () => {
      if (gate.phase === "closed") throw closing();
      if (inside >= max) throw overloaded("too many requests at work");
      inside++;
    },
    leave: () => {
      inside--;
    },
  };
  return gate;
};
