/** Why a time is not one, in words that hold nothing of it. */
export class TimeError extends Error {
  override readonly name = "TimeError";
}

const shape = /^(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;
const zeroTime = -62_135_596_800;
/** Seconds whose nanoseconds fit into 64 bits for sure. */
const plainSeconds = 9_000_000_000;

/**
 * Nanoseconds since the epoch, as decimal text, of an RFC 3339 time as Go reads it: `,` before the fraction and an hour of one digit are
 * taken, digits beyond the ninth are cut, no leap second. Counts beyond 64 bits wrap as Go's do. Undefined for the zero
 * time of year 1, which stands for the time of arrival. Throws TimeError, in whose words `name` stands.
 */
export const parseTime = (text: string, name = "stageTimestamp"): string | undefined => {
  const usual = usualTime(text);
  if (usual !== undefined) return usual;
  const found = shape.exec(text);
  if (!found) throw new TimeError(`${name} is not an RFC 3339 time`);
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHours, offsetMinutes] = found;
  const inRange =
    Number(month) >= 1 &&
    Number(month) <= 12 &&
    Number(day) >= 1 &&
    Number(day) <= daysIn(Number(year), Number(month)) &&
    Number(hour) <= 23 &&
    Number(minute) <= 59 &&
    Number(second) <= 59 &&
    Number(offsetHours ?? 0) <= 24 &&
    Number(offsetMinutes ?? 0) <= 60;
  if (!inRange) throw new TimeError(`${name} is out of range`);
  const iso = `${year}-${month}-${day}T${(hour ?? "").padStart(2, "0")}:${minute}:${second}Z`;
  const offset = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * (sign === "-" ? -60 : 60);
  const seconds = Date.parse(iso) / 1000 - offset;
  const nanos = (fraction ?? "").slice(0, 9).padEnd(9, "0");
  if (seconds > 0 && seconds < plainSeconds) return `${seconds}${nanos}`;
  if (seconds === zeroTime && Number(nanos) === 0) return undefined;
  return String(BigInt.asIntN(64, BigInt(seconds) * 1_000_000_000n + BigInt(nanos)));
};

const usualLength = "2006-01-02T15:04:05.000000Z".length;

/** `parseTime` of the form that API servers write, microseconds and UTC; undefined for all that is not surely such a time. */
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

const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};
