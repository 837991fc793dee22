import { Unreadable } from "./api.ts";

/** More came than may be held in memory. */
export class TooLarge extends Unreadable {}

/** A body of at most `maxBytes`. */
export const readWhole = async (body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> => {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > maxBytes) throw new TooLarge(`a page has more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
};

const lineEnd = 10;

/** Lines of a body that may never end, each of at most `maxBytes`; what comes behind the last line end is none. */
export async function* readLines(body: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  const add = (part: Buffer): void => {
    bytes += part.length;
    if (bytes > maxBytes) throw new TooLarge(`a line has more than ${maxBytes} bytes`);
    parts.push(part);
  };
  for await (const part of body) {
    let from = 0;
    for (let end = part.indexOf(lineEnd); end >= 0; end = part.indexOf(lineEnd, from)) {
      add(part.subarray(from, end));
      from = end + 1;
      const line = Buffer.concat(parts).toString();
      [parts, bytes] = [[], 0];
      yield line;
    }
    if (from < part.length) add(part.subarray(from));
  }
}
