import { readFileSync } from "node:fs";

/** A text file; UTF-16, as editors of Windows write it, when it begins with such a mark. Throws when it cannot be read. */
export const readText = (path: string): string => {
  const bytes = readFileSync(path);
  const mark = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0;
  if (mark === 0xfffe) return bytes.toString("utf16le", 2);
  if (mark === 0xfeff)
    return Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString("utf16le", 2);
  return bytes.toString("utf8");
};
