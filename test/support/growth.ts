import assert from "node:assert/strict";

/** What four times as much may cost, in time of the smallest: four and what measuring adds; a square would be sixteen. */
const most = 9;
/** How much dearer than sound input of the same length anything may be. */
const dearest = 20;
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
 * Fails when `work` on four times as much costs far more than four times the CPU, or far more than sound input of that
 * length does: what is slow by a constant has no other end. Inputs take turns, so that a bad moment hits all of them.
 */
export const staysLinear = async <T>(
  work: (input: T) => unknown,
  make: (n: number) => T,
  n: number,
  sound?: () => T,
): Promise<void> => {
  const inputs = { large: make(4 * n), small: make(n), ...(sound && { sound: sound() }) };
  const cost = { large: Infinity, small: Infinity, sound: Infinity };
  const measure = async (what: keyof typeof cost, input: T): Promise<void> => {
    cost[what] = Math.min(cost[what], await costOf(() => work(input)));
  };
  for (let round = 1; round <= rounds.most; round++) {
    await measure("large", inputs.large);
    if (cost.large < negligibleMs) return;
    await measure("small", inputs.small);
    if (inputs.sound !== undefined) await measure("sound", inputs.sound);
    if (round >= rounds.least && surplus(cost) === "") return;
  }
  assert.fail(surplus(cost));
};

/** What was too dear, in words; empty: nothing. */
const surplus = (cost: Readonly<Record<"large" | "small" | "sound", number>>): string => {
  const ms = (cost: number) => `${cost.toFixed(1)} ms of CPU`;
  const least = negligibleMs / most;
  if (cost.large / Math.max(cost.small, least) >= most)
    return `${ms(cost.small)} for once, ${ms(cost.large)} for four times as much`;
  if (cost.large < dearest * Math.max(cost.sound, least)) return "";
  return `${ms(cost.large)}, and ${ms(cost.sound)} for sound input`;
};
