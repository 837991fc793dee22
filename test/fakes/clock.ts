import type { Clock } from "../../src/time/clock.ts";

export interface FakeClock extends Clock {
  /** Moves on, calling back what falls due on the way, in order; what promises do in between is waited for. */
  pass(ms: number): Promise<void>;
  /** Timers that are set. */
  timers(): number;
}

export const fakeClock = (): FakeClock => {
  let time = 0;
  let timers: { readonly due: number; readonly call: () => void }[] = [];
  return {
    ticks: () => time,
    after: (ms, call) => {
      const timer = { due: time + Math.max(ms, 0), call };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    timers: () => timers.length,
    pass: async (ms) => {
      const end = time + ms;
      await settled();
      for (;;) {
        const next = timers.filter((one) => one.due <= end).sort((a, b) => a.due - b.due)[0];
        if (!next) break;
        timers = timers.filter((one) => one !== next);
        time = Math.max(time, next.due);
        next.call();
        await settled();
      }
      time = end;
    },
  };
};

/** Lets promises and immediates run out. */
export const settled = async (): Promise<void> => {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
};
