/** State that a lane keeps by key, for what is told by more than one chunk: counts, windows, what was seen already. */

/** One change, of the state of the item's own lane. */
export interface StateChange {
  /** At most `mostKeyBytes` of UTF-8. */
  readonly key: string;
  /** At most `mostValueBytes` of UTF-8. Absent: the key is deleted. */
  readonly value?: string;
  /** Gone so many milliseconds later, however the wall clock jumps; absent: it stays. */
  readonly expiresInMs?: number;
  /** The version that was read, 0 where nothing was found: another one refuses the settlement. Absent: any will do. */
  readonly version?: number;
}

export interface StateEntry {
  readonly value: string;
  /** Another one each time that the key is set. */
  readonly version: number;
}

export interface LaneState {
  /**
   * Undefined: there is nothing under the key, or no longer. What the process has settled is seen at once, though it may not
   * be durable yet: what is built upon it is refused if it is not. Rejects with QueueError.
   */
  get(key: string): Promise<StateEntry | undefined>;
}

export const mostKeyBytes = 1024;
export const mostValueBytes = 64 * 1024;

/** Why the changes cannot be made, whoever asks: what becomes of an item that is settled with them is a dead letter. */
export function refusedState(changes: readonly StateChange[]): string | undefined {
  for (const { key, value = "" } of changes) {
    if (key === "" || Buffer.byteLength(key) > mostKeyBytes)
      return `state: a key has no or more than ${mostKeyBytes} bytes`;
    if (Buffer.byteLength(value) > mostValueBytes) return `state: a value has more than ${mostValueBytes} bytes`;
  }
  return undefined;
}
