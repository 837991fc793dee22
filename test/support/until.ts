import { setTimeout as sleep } from "node:timers/promises";

/** Resolves when the condition holds; fails with `what` after `limitMs`, a bound against hanging and not a promise of speed. */
export const until = async (what: string, holds: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> => {
  const end = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`gave up waiting: ${what}`);
    await sleep(10);
  }
};
