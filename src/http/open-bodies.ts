/** Why a reading is ended from outside: it took longer than any may, or others need its place. */
export type Cut = "late" | "gave way";

/** One body that is being read. */
export interface OpenBody {
  /** Milliseconds of a clock that only goes forward. */
  readonly since: number;
  /** Ends the reading at once and gives back what it holds. */
  cut(why: Cut): void;
}

/** The bodies that are being read at one listener, the oldest first. */
export interface OpenBodies {
  /** Cut when `timeoutMs` are over, unless it is deleted before. */
  add(cut: OpenBody["cut"]): OpenBody;
  delete(body: OpenBody): void;
  /** Cuts the one that has been read for the longest, if that is longer than a sound sender needs; false: there is none. */
  giveWay(): boolean;
}

/** Milliseconds within which a body is never cut in favour of another. */
const graceMs = 1000;

/** One timer for all: the oldest is the first whose time is over. */
export const createOpenBodies = (timeoutMs: number, now: () => number = () => performance.now()): OpenBodies => {
  const open = new Set<OpenBody>();
  let armed = false;
  const arm = (ms: number): void => {
    armed = true;
    setTimeout(sweep, ms).unref();
  };
  const sweep = (): void => {
    armed = false;
    for (const body of open) {
      const left = body.since + timeoutMs - now();
      if (left > 0) {
        arm(Math.ceil(left));
        return;
      }
      open.delete(body);
      body.cut("late");
    }
  };
  return {
    add: (cut) => {
      const body: OpenBody = { since: now(), cut };
      open.add(body);
      if (!armed) arm(timeoutMs);
      return body;
    },
    delete: (body) => void open.delete(body),
    giveWay: () => {
      const [oldest] = open;
      if (!oldest || now() - oldest.since < graceMs) return false;
      open.delete(oldest);
      oldest.cut("gave way");
      return true;
    },
  };
};
