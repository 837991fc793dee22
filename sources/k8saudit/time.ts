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
 * time of year 1, which stands for the time of arrival. Throws TimeError.
 */
export const parseTime = (text: string): string | undefined => {
  const found = shape.exec(text);
  if (!found) throw new TimeError("stageTimestamp is not an RFC 3339 time");
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
  if (!inRange) throw new TimeError("stageTimestamp is out of range");
  const iso = `${year}-${month}-${day}T${(hour ?? "").padStart(2, "0")}:${minute}:${second}Z`;
  const offset = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * (sign === "-" ? -60 : 60);
  const seconds = Date.parse(iso) / 1000 - offset;
  const nanos = (fraction ?? "").slice(0, 9).padEnd(9, "0");
  if (seconds > 0 && seconds < plainSeconds) return `${seconds}${nanos}`;
  if (seconds === zeroTime && Number(nanos) === 0) return undefined;
  return String(BigInt.asIntN(64, BigInt(seconds) * 1_000_000_000n + BigInt(nanos)));
};

const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};
