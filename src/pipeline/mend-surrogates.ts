const backslash = 0x5c;
const letterU = 0x75;

/** Halves of pairs become U+FFFD in a JSON text, as they do for Go. The length stays. */
export const mendSurrogates = (text: string): string => {
  const whole = text.toWellFormed();
  if (!/\\u[dD][89a-fA-F]/.test(whole)) return whole;
  // In place: a string for each of ten million escapes costs gigabytes.
  const bytes = Buffer.from(whole);
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== backslash) at++;
    else {
      const half = halfAt(bytes, at);
      if (half === undefined) at += 2;
      else if (half === "high" && halfAt(bytes, at + 6) === "low") at += 12;
      else {
        bytes.write("fffd", at + 2);
        at += 6;
      }
    }
  }
  return bytes.toString();
};

/** What the escape that starts here stands for, if it is half of a pair. */
const halfAt = (bytes: Buffer, at: number): "high" | "low" | undefined => {
  if (bytes[at] !== backslash || bytes[at + 1] !== letterU || digitAt(bytes, at + 2) !== 0xd) return undefined;
  const second = digitAt(bytes, at + 3);
  if (second < 8 || digitAt(bytes, at + 4) < 0 || digitAt(bytes, at + 5) < 0) return undefined;
  return second < 0xc ? "high" : "low";
};

/** -1: not hexadecimal. */
const digitAt = (bytes: Buffer, at: number): number => {
  const c = bytes[at] ?? 0;
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const letter = c | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
};
