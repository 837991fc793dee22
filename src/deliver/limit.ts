import type { Gate } from "./gate.ts";

/** A token bucket over alerts: never more than `burst` at once, nor more than `burst + perSecond × t` in any t seconds. */
export const limit = (settings: { readonly perSecond: number; readonly burst: number }, start: number): Gate => {
  const size = Math.max(settings.burst, 1);
  let tokens = size;
  let filled = start;
  const fill = (at: number): void => {
    if (at > filled) tokens = Math.min(size, tokens + ((at - filled) * settings.perSecond) / 1000);
    filled = Math.max(at, filled);
  };
  // A whole token may fall short by the rounding of its own wait.
  const whole = (): number => Math.floor(tokens + 1e-6);
  return {
    wait: (at) => {
      fill(at);
      return whole() >= 1 ? 0 : ((1 - tokens) * 1000) / settings.perSecond;
    },
    room: (at) => {
      fill(at);
      return whole();
    },
    enter: (at, alerts) => {
      fill(at);
      tokens -= alerts;
    },
  };
};
