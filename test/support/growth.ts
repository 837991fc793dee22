import assert from "node:assert/strict";

/** What one input may cost against its length in four pieces: a square costs four times that, and measuring adds. */
const most = 2.25;
/** How much dearer than sound input of the same length anything may be. */
const dearest = 20;
/** And what that costs at least: milliseconds. */
const leastMs = 1.25;
/** Below this a ratio tells nothing, and nobody is harmed: milliseconds of CPU for the largest. */
const negligibleMs = 10;
/** Compilation, collections and whoever shares the machine only ever add: the least of so many measurements is the work. */
const rounds = { least: 3, most: 8 };

/** Milliseconds of CPU that the process spends on `work`. */
const costOf = async (work: () => unknown): Promise<number> => {
  const from = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000;
};

/**
 * Fails when `work` on four times as much costs far more than four times the work on once as much, or far more than sound
 * input of that length does: what is slow by a constant has no other end. Each measurement is of the same length in all, so
 * that collections and whoever else uses the machine hit all alike; they take turns for the same reason.
 */
export const staysLinear = async <T>(
  work: (input: T) => unknown,
  make: (n: number) => T,
  n: number,
  sound?: () => T,
): Promise<void> => {
  const inputs = { large: make(4 * n), small: make(n), ...(sound && { sound: sound() }) };
  const cost = { large: Infinity, small: Infinity, sound: Infinity };
  const measure = async (what: keyof typeof cost, input: T, times = 1): Promise<void> => {
    const all = async () => {
      for (let n = 0; n < times; n++) await work(input);
    };
    cost[what] = Math.min(cost[what], await costOf(all));
  };
  for (let round = 1; round <= rounds.most; round++) {
    await measure("large", inputs.large);
    if (cost.large < negligibleMs) return;
    await measure("small", inputs.small, 4);
    if (inputs.sound !== undefined) await measure("sound", inputs.sound);
    if (round >= rounds.least && surplus(cost) === "") return;
  }
  assert.fail(surplus(cost));
};

/** What was too dear, in words; empty: nothing. */
const surplus = (cost: Readonly<Record<"large" | "small" | "sound", number>>): string => {
  const ms = (cost: number) => `${cost.toFixed(1)} ms of CPU`;
  if (cost.large / Math.max(cost.small, negligibleMs / most) >= most)
    return `${ms(cost.small)} for four pieces, ${ms(cost.large)} for one of their length`;
  if (cost.large < dearest * Math.max(cost.sound, leastMs)) return "";
  return `${ms(cost.large)}, and ${ms(cost.sound)} for sound input`;
};
