import assert from "node:assert/strict";

/** What four times as much may cost, in time of the smallest: four and what measuring adds; a square would be sixteen. */
const most = 9;
/** Below this a ratio tells nothing, and nobody is harmed: milliseconds of CPU for the largest. */
const negligibleMs = 12;

/** Milliseconds of CPU that the process spends on `work`, the best of some. */
const costOf = async (work: () => unknown): Promise<number> => {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const from = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(from);
    best = Math.min(best, (user + system) / 1000);
    if (best < negligibleMs / 4) return best;
  }
  return best;
};

/** How much dearer than sound input of the same length anything may be. */
const dearest = 20;

/**
 * Fails when `work` on four times as much costs far more than four times the CPU, or far more than sound input of that
 * length does: what is slow by a constant has no other end.
 */
export const staysLinear = async <T>(
  work: (input: T) => unknown,
  make: (n: number) => T,
  n: number,
  sound?: () => T,
): Promise<void> => {
  let told = "";
  // What grows faster than its input does so each time; a collection or a compilation that falls into one measurement does not.
  for (let attempt = 0; attempt < 4; attempt++) {
    told = await surplus(work, make, n, sound);
    if (told === "") return;
  }
  assert.fail(told);
};

/** What was too dear, in words; empty: nothing. */
const surplus = async <T>(
  work: (input: T) => unknown,
  make: (n: number) => T,
  n: number,
  sound: (() => T) | undefined,
): Promise<string> => {
  const largest = make(4 * n);
  const large = await costOf(() => work(largest));
  if (large < negligibleMs) return "";
  const [one, two] = [make(n), make(2 * n)];
  const [small, middle] = [await costOf(() => work(one)), await costOf(() => work(two))];
  if (large / Math.max(small, negligibleMs / most) >= most)
    return `${small.toFixed(1)}, ${middle.toFixed(1)}, ${large.toFixed(1)} ms of CPU for once, twice, four times as much`;
  if (!sound) return "";
  const usual = sound();
  const plain = Math.max(await costOf(() => work(usual)), negligibleMs / most);
  return large < dearest * plain ? "" : `${large.toFixed(1)} ms of CPU, and ${plain.toFixed(1)} for sound input`;
};
