import type { Failure } from "./failure.ts";

/** One condition on the next attempt. Times are the clock's ticks, so a gate is plain arithmetic and needs no timer. */
export interface Gate {
  /** Milliseconds until an attempt may start; 0: now; Infinity: not before one in flight ended. */
  wait(at: number): number;
  /** Alerts that one attempt may carry now. */
  room?(at: number): number;
  enter?(at: number, alerts: number): void;
  /** Once for every enter, when the attempt ended. */
  leave?(at: number, failure: Failure | undefined): void;
}

/** All conditions as one. */
export const every = (gates: readonly Gate[]): Required<Gate> => ({
  wait: (at) => {
    let longest = 0;
    for (const gate of gates) longest = Math.max(longest, gate.wait(at));
    return longest;
  },
  room: (at) => {
    let least = Infinity;
    for (const gate of gates) if (gate.room) least = Math.min(least, gate.room(at));
    return least;
  },
  enter: (at, alerts) => {
    for (const gate of gates) gate.enter?.(at, alerts);
  },
  leave: (at, failure) => {
    for (const gate of gates) gate.leave?.(at, failure);
  },
});
