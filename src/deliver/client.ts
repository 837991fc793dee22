import type { Sender } from "../sdk/output.ts";
import { failureOf } from "./failure.ts";

export interface Client {
  /** Opens the sender when there is none and lends it. */
  use<T>(work: (sender: Sender) => Promise<T>, signal: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

interface Opened {
  readonly sender: Promise<Sender>;
  users: number;
  retired: boolean;
}

/** After these the connection behind a sender cannot be trusted; a refusal by the destination is no such thing. */
const breaking = new Set(["network", "tls", "timeout", "other"]);

/**
 * Opens a client's sender on first use, within the time of the attempt that needs it, and anew after a failure that may
 * have broken it. The broken one is closed when the last attempt that used it is over, be it by its time limit.
 */
export const reopening = (open: (signal: AbortSignal) => Promise<Sender>): Client => {
  let current: Opened | undefined;

  const retire = (opened: Opened): void => {
    if (current === opened) current = undefined;
    opened.retired = true;
    closeUnused(opened);
  };
  const closeUnused = (opened: Opened): void => {
    if (opened.retired && opened.users === 0) void closeQuietly(opened);
  };

  return {
    use: async (work, signal) => {
      current ??= { sender: open(signal), users: 0, retired: false };
      const opened = current;
      opened.users += 1;
      let using = true;
      const done = (broken: boolean): void => {
        if (!using) return;
        using = false;
        signal.removeEventListener("abort", late);
        opened.users -= 1;
        if (broken) retire(opened);
        else closeUnused(opened);
      };
      const late = (): void => done(true);
      signal.addEventListener("abort", late, { once: true });
      try {
        const result = await work(await opened.sender);
        done(false);
        return result;
      } catch (error) {
        const failure = failureOf(error);
        done((failure.retryable && breaking.has(failure.reason)) || !(await opens(opened)));
        throw error;
      }
    },
    close: async () => {
      const opened = current;
      current = undefined;
      if (opened) await closeQuietly(opened);
    },
  };
};

const opens = (opened: Opened): Promise<boolean> =>
  opened.sender.then(
    () => true,
    () => false,
  );

/** Nobody can do anything about a client that fails to close. */
const closeQuietly = async (opened: Opened): Promise<void> => {
  try {
    await (await opened.sender).close?.();
  } catch {}
};
