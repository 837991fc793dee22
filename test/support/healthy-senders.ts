import { setTimeout as sleep } from "node:timers/promises";

/** Sends one after the other for as long as it is let, and remembers what became of each. */
export interface HealthySender {
  /** Sent so far, and what was answered in place of 200: `status` or the error's name. */
  readonly sent: number;
  readonly trouble: readonly string[];
  stop(): Promise<void>;
}

/** `send` resolves with the status of the n-th, from 0. */
export const startHealthySender = (send: (n: number) => Promise<number>, everyMs: number): HealthySender => {
  const trouble: string[] = [];
  let sent = 0;
  let going = true;
  const run = async (): Promise<void> => {
    while (going) {
      const status = await send(sent).catch((error: Error) => error.name);
      if (status !== 200) trouble.push(`${sent}: ${status}`);
      sent++;
      await sleep(everyMs);
    }
  };
  const ended = run();
  return {
    get sent() {
      return sent;
    },
    trouble,
    stop: () => {
      going = false;
      return ended;
    },
  };
};
