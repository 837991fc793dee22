/** Points in time as alerts carry them: RFC 3339 with nanoseconds and an offset, read and written as Go does. */

/** A point in time, and how far from UTC its clock is. */
export interface Instant {
  /** Seconds since the epoch, and nanoseconds in that second. */
  readonly seconds: number;
  readonly nanos: number;
  /** Seconds east of UTC. */
  readonly offset: number;
}

/** The date and the clock at the instant's own offset. */
export interface Civil {
  readonly year: number;
  /** 1 … 12 */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 Sunday … 6 Saturday */
  readonly weekday: number;
  /** 1 … 366 */
  readonly yearday: number;
}

const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
/** Days of a month (1 … 12) in the Gregorian calendar; 0 for any other month. */
export const daysIn = (year: number, month: number): number =>
  month === 2 && isLeap(year) ? 29 : (monthDays[month - 1] ?? 0);

/** Days since the epoch, proleptic Gregorian calendar. */
const dayNumber = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const inEra = y - era * 400;
  const inYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + inEra * 365 + Math.floor(inEra / 4) - Math.floor(inEra / 100) + inYear - 719468;
};

/**
 * Go's reading of RFC 3339: a comma may stand for the point, digits after the ninth are dropped, the hour may have one
 * digit, offsets go to 24:60. Undefined: not a time.
 */
export const parseTime = (text: string): Instant | undefined => {
  const m = pattern.exec(text);
  if (m === null) return undefined;
  const [year, month, day] = [Number(m[1]), Number(m[2]), Number(m[3])];
  const [hour, minute, second] = [Number(m[4]), Number(m[5]), Number(m[6])];
  const [zoneHour, zoneMinute] = [Number(m[9] ?? 0), Number(m[10] ?? 0)];
  if (day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) return undefined;
  if (zoneHour > 24 || zoneMinute > 60) return undefined;
  const offset = (m[8] === "-" ? -1 : 1) * (zoneHour * 3600 + zoneMinute * 60) || 0;
  const seconds = dayNumber(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
  const nanos = m[7] === undefined ? 0 : Number(m[7].slice(0, 9).padEnd(9, "0"));
  return { seconds, nanos, offset };
};

/** Whether a text is written as a time, the ranges of its numbers aside. */
export const isTimeShaped = (text: string): boolean => pattern.test(text);

/** The date and the clock of an instant at its own offset. */
export const civil = (instant: Instant): Civil => {
  const local = instant.seconds + instant.offset;
  const days = Math.floor(local / 86400);
  const clock = local - days * 86400;
  const era = Math.floor((days + 719468) / 146097);
  const inEra = days + 719468 - era * 146097;
  const yearOfEra = Math.floor(
    (inEra - Math.floor(inEra / 1460) + Math.floor(inEra / 36524) - Math.floor(inEra / 146096)) / 365,
  );
  const inYear = inEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * inYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return {
    year,
    month,
    day: inYear - Math.floor((153 * shifted + 2) / 5) + 1,
    hour: Math.floor(clock / 3600),
    minute: Math.floor(clock / 60) % 60,
    second: clock % 60,
    weekday: (((days + 4) % 7) + 7) % 7,
    yearday: days - dayNumber(year, 1, 1) + 1,
  };
};

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));
const year4 = (year: number): string =>
  year < 0 ? `-${String(-year).padStart(4, "0")}` : String(year).padStart(4, "0");

const fraction = (nanos: number): string =>
  nanos === 0 ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;

/** `+0200`, `+02:00`. */
export const offsetText = (offset: number, colon = ""): string => {
  const minutes = Math.trunc(Math.abs(offset) / 60);
  return `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}${colon}${two(minutes % 60)}`;
};

/** RFC 3339 as Go prints it: the offset kept, trailing zeros of the fraction removed, offset zero is `Z`. */
export const formatTime = (instant: Instant): string => {
  const c = civil(instant);
  const zone = instant.offset === 0 ? "Z" : offsetText(instant.offset, ":");
  return `${year4(c.year)}-${two(c.month)}-${two(c.day)}T${two(c.hour)}:${two(c.minute)}:${two(c.second)}${fraction(instant.nanos)}${zone}`;
};

const plain = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{0,8}[1-9])?Z$/;

/** The time as Go would print it after reading it; undefined: not a time, or Go's zero time. */
export const normaliseTime = (text: string): string | undefined => {
  if (plain.test(text) && !text.startsWith("0001")) return text;
  const instant = parseTime(text);
  if (instant === undefined || isZeroTime(instant)) return undefined;
  return formatTime(instant);
};

/** Go's default text of a time, as chat messages show it: `2025-01-15 12:20:30.12 +0200 +0200`. Unreadable text is returned as it is. */
export const goTime = (time: string): string => {
  const instant = parseTime(time);
  return instant === undefined ? time : instantText(instant);
};

/** Go's default text of a time (`goTime`) for one that was read. */
export const instantText = (instant: Instant): string => {
  const c = civil(instant);
  const zone = offsetText(instant.offset);
  const date = `${year4(c.year)}-${two(c.month)}-${two(c.day)}`;
  const clock = `${two(c.hour)}:${two(c.minute)}:${two(c.second)}${fraction(instant.nanos)}`;
  return `${date} ${clock} ${zone} ${instant.offset === 0 ? "UTC" : zone}`;
};

/** Nanoseconds since the epoch. */
export const nanosOf = ({ seconds, nanos }: Instant): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(nanos);

/** Go's zero time, which stands for "none": the first moment of year 1 in UTC. */
export const isZeroTime = ({ seconds, nanos }: Instant): boolean => seconds === -62_135_596_800 && nanos === 0;

/** Nanoseconds since the epoch as decimal text; `0` for text that is no time. */
export const unixNano = (time: string): string => {
  const instant = parseTime(time);
  return instant === undefined ? "0" : String(nanosOf(instant));
};
