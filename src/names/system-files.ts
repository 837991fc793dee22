import { readFileSync, statSync } from "node:fs";

const checkMs = 1000;

/** A file's content as `parse` makes it, read again when it changed; looked at once a second at most. */
export const followedFile = <T>(path: string, parse: (text: string) => T, ticks: () => number): (() => T) => {
  let value = parse("");
  let seen = "";
  let lookedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (ticks() - lookedAt < checkMs) return value;
    lookedAt = ticks();
    try {
      const { mtimeMs, size, ino } = statSync(path);
      const now = `${mtimeMs} ${size} ${ino}`;
      if (now === seen) return value;
      value = parse(readFileSync(path, "utf8"));
      seen = now;
    } catch {
      // Gone or unreadable: what it said last still holds.
    }
    return value;
  };
};
