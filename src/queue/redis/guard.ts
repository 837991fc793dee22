import { QueueError } from "../queue.ts";
import { toQueueError } from "./connect.ts";

/** Whether Redis may be asked, and what became of it when it was. */
export interface Guard {
  /** Rejects with QueueError: closed, not there in time, or what Redis did not do. */
  ask<T>(work: () => Promise<T>): Promise<T>;
  /** Why Redis did not do what it was asked last. */
  refusal(): string | undefined;
  closed(): boolean;
  /** False: it is closed already. */
  close(): boolean;
}

export interface GuardParts {
  readonly connected: () => boolean;
  /** Resolves at the first contact, rejects when there is none in time. */
  readonly firstContact: () => Promise<void>;
  /** Redis had no room. */
  readonly full: () => void;
}

export function createGuard({ connected, firstContact, full }: GuardParts): Guard {
  let closed = false;
  let refusal: string | undefined;
  return {
    ask: async (work) => {
      if (closed) throw new QueueError("closed", "the queue is closed");
      if (!connected()) await firstContact();
      try {
        const result = await work();
        refusal = undefined;
        return result;
      } catch (error) {
        const refused = toQueueError(error);
        refusal = refused.message;
        if (refused.kind === "full") full();
        throw refused;
      }
    },
    refusal: () => refusal,
    closed: () => closed,
    close: () => {
      const was = closed;
      closed = true;
      return !was;
    },
  };
}
