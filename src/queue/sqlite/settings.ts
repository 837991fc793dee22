import type { Memory } from "../memory.ts";
import type { QueueLog } from "./core.ts";

export interface SqliteSettings {
  /** Directory of the queue's files; made when missing. One process at a time. */
  readonly dir: string;
  /** `normal`: an accepted chunk survives the death of the process. `full`: also that of the machine. */
  readonly durability: "normal" | "full";
  /** Wall clock, milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds that only go forward; the process's own by default. */
  readonly monotonic?: () => number;
  readonly log?: QueueLog;
  /** Pushes are refused as `full` above this size of the file's content. Default 4 GiB. */
  readonly maxBytes?: number;
  /** Events became dead letters that no handler gave up: `poison`, `corrupt`. */
  readonly onDead?: (lane: string, reason: string, events: number) => void;
  /** Events of dead letters were dropped: the letters of all lanes may have a quarter of `maxBytes`. */
  readonly onDropped?: (lane: string, events: number) => void;
  /** Shared with other queues of the process; absent: the default budget. */
  readonly memory?: Memory;
  /** How long an item rests whose handler threw. Default 1000. */
  readonly throwDelayMs?: number;
}
