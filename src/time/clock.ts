/** Time for waits and durations: monotonic, so that a jump of the wall clock moves no retry. */
export interface Clock {
  /** Milliseconds on a clock that only goes forward; its zero means nothing. */
  ticks(): number;
  /** Calls back once after `ms`; the answer cancels. */
  after(ms: number, call: () => void): () => void;
}

/** The longest delay that setTimeout knows. */
const longest = 2 ** 31 - 1;

export const systemClock: Clock = {
  ticks: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, Math.min(Math.max(ms, 0), longest));
    return () => clearTimeout(timer);
  },
};
