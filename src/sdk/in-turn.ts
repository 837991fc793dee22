/** Runs one piece of work at a time; rejects with the signal's reason when its turn does not come before. */
export type InTurn = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

/**
 * For work that cannot be stopped (a write to a pipe that nobody reads): what was given up goes on, and until it is over
 * nothing more is begun, so that attempts do not pile up behind it.
 */
export const openTurn = (): InTurn => {
  let running: Promise<void> | undefined;
  return async (signal, work) => {
    while (running) await untilAborted(running, signal);
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    running = promise;
    try {
      return await work();
    } finally {
      running = undefined;
      resolve();
    }
  };
};

const untilAborted = (work: Promise<void>, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const aborted = () => reject(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    void work.then(() => {
      signal.removeEventListener("abort", aborted);
      resolve();
    });
  });
