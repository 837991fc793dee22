import { daysIn, isTimeShaped, isZeroTime, nanosOf, parseTime } from "../sdk/rfc3339.ts";

/** Why a time is not one, in words that hold nothing of it. */
export class TimeError extends Error {
  override readonly name = "TimeError";
}

/**
 * Nanoseconds since the epoch, as decimal text, of an RFC 3339 time as Go reads it (`parseTime`). Counts beyond 64 bits wrap
 * as Go's do. Undefined for the zero time of year 1, which stands for the time of arrival. Throws TimeError, in whose words
 * `name` stands.
 */
export const unixTime = (text: string, name = "stageTimestamp"): string | undefined => {
  const usual = usualTime(text);
  if (usual !== undefined) return usual;
  const instant = parseTime(text);
  if (instant) return isZeroTime(instant) ? undefined : String(BigInt.asIntN(64, nanosOf(instant)));
  throw new TimeError(isTimeShaped(text) ? `${name} is out of range` : `${name} is not an RFC 3339 time`);
};

const usualLength = "2006-01-02T15:04:05.000000Z".length;

/** `unixTime` of the form that API servers write, microseconds and UTC; undefined for all that is not surely such a time. */
const usualTime = (text: string): string | undefined => {
  if (text.length !== usualLength || text.charCodeAt(26) !== 90 || text.charCodeAt(10) !== 84) return undefined;
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45 || text.charCodeAt(19) !== 46) return undefined;
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return undefined;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const [hour, minute, second] = [digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)];
  const plain =
    year >= 1971 &&
    year <= 2200 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour >= 0 &&
    hour <= 23 &&
    minute >= 0 &&
    minute <= 59 &&
    second >= 0 &&
    second <= 59 &&
    digits(text, 20, 6) >= 0;
  if (!plain) return undefined;
  return `${Date.UTC(year, month - 1, day, hour, minute, second) / 1000}${text.slice(20, 26)}000`;
};

/** The number that so many digits make; -1 when one is none. */
const digits = (text: string, at: number, length: number): number => {
  let number = 0;
  for (let i = at; i < at + length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    number = number * 10 + digit;
  }
  return number;
};
