/** Go's time layouts: the reference time `Mon Jan 2 15:04:05 MST 2006` written the way the text shall look. */
import { type Civil, civil, type Instant, offsetText } from "../rfc3339.ts";

/** Names as Go writes them; the first is January. */
export const months = "January February March April May June July August September October November December".split(
  " ",
);
/** Names as Go writes them; the first is Sunday. */
export const weekdays = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

const element =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|01|02|03|04|05|06|002|2006|__2|_2006|_2|15|PM|pm|Z070000|Z07:00:00|Z0700|Z07:00|Z07|-070000|-07:00:00|-0700|-07:00|-07|[.,]0+(?![0-9])|[.,]9+(?![0-9])|1|2|3|4|5/g;

const pad = (n: number, width: number, fill = "0"): string => String(n).padStart(width, fill);

const twelve = (hour: number): number => hour % 12 || 12;

const plain: Readonly<Record<string, (c: Civil) => string>> = {
  January: (c) => months[c.month - 1] ?? "",
  Jan: (c) => (months[c.month - 1] ?? "").slice(0, 3),
  Monday: (c) => weekdays[c.weekday] ?? "",
  Mon: (c) => (weekdays[c.weekday] ?? "").slice(0, 3),
  "1": (c) => String(c.month),
  "01": (c) => pad(c.month, 2),
  "2": (c) => String(c.day),
  _2: (c) => pad(c.day, 2, " "),
  "02": (c) => pad(c.day, 2),
  __2: (c) => pad(c.yearday, 3, " "),
  "002": (c) => pad(c.yearday, 3),
  "15": (c) => pad(c.hour, 2),
  "3": (c) => String(twelve(c.hour)),
  "03": (c) => pad(twelve(c.hour), 2),
  "4": (c) => String(c.minute),
  "04": (c) => pad(c.minute, 2),
  "5": (c) => String(c.second),
  "05": (c) => pad(c.second, 2),
  "06": (c) => pad(((c.year % 100) + 100) % 100, 2),
  "2006": (c) => pad(c.year, 4),
  _2006: (c) => `_${pad(c.year, 4)}`,
  PM: (c) => (c.hour >= 12 ? "PM" : "AM"),
  pm: (c) => (c.hour >= 12 ? "pm" : "am"),
};

const zone = (token: string, offset: number): string => {
  if (token.startsWith("Z") && offset === 0) return "Z";
  const colon = token.includes(":") ? ":" : "";
  const digits = token.replaceAll(/[^0-9]/g, "").length;
  const whole = offsetText(offset, colon);
  if (digits === 2) return whole.slice(0, 3);
  const seconds = pad(Math.abs(offset) % 60, 2);
  return digits === 6 ? `${whole}${colon}${seconds}` : whole;
};

const fraction = (token: string, nanos: number): string => {
  const digits = pad(nanos, 9).slice(0, token.length - 1);
  if (token.includes("0")) return (token[0] ?? "") + digits;
  const short = digits.replace(/0+$/, "");
  return short === "" ? "" : (token[0] ?? "") + short;
};

/** Go's Time.Format. */
export const formatLayout = (instant: Instant, layout: string): string => {
  const c = civil(instant);
  return layout.replaceAll(element, (token) => {
    const simple = plain[token];
    if (simple !== undefined) return simple(c);
    if (token === "MST") return instant.offset === 0 ? "UTC" : shortZone(instant.offset);
    if (token.startsWith(".") || token.startsWith(","))
      return token.length > 10 ? token : fraction(token, instant.nanos);
    return zone(token, instant.offset);
  });
};

const shortZone = (offset: number): string => offsetText(offset);
