/** An error of the store is reported, and told to the caller as one of the queue. */

import { QueueError } from "../queue.ts";
import type { Core } from "./core.ts";

export function unreadable(core: Core, error: unknown): Error {
  if (error instanceof QueueError) return error;
  core.failed(error);
  return new QueueError(core.sick ? "corrupt" : "unavailable", "the queue cannot be read");
}

/** Throws QueueError. */
export function reading<T>(core: Core, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(core, error);
  }
}
