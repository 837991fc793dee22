import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { createLineCutter } from "./lines.ts";

/**
 * The lines of a stream of bytes, plain or gzip, without their ends; rejects when the stream or the gzip breaks. For one
 * of more than `maxBytes` stands `tooLong`.
 */
export async function* linesOf(input: AsyncIterable<Buffer>, maxBytes?: number): AsyncGenerator<Buffer> {
  for await (const lines of lineBatches(input, maxBytes)) yield* lines;
}

/** The lines of `linesOf`, as many at a time as a chunk of the stream completes. */
export async function* lineBatches(input: AsyncIterable<Buffer>, maxBytes?: number): AsyncGenerator<readonly Buffer[]> {
  const cutter = createLineCutter(maxBytes);
  for await (const chunk of unzipped(input)) yield cutter.push(chunk);
  const last = cutter.end();
  if (last) yield [last];
}

/** The bytes of a stream, decompressed when they begin as gzip does. */
export async function* unzipped(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = input[Symbol.asyncIterator]();
  const head = await firstBytes(chunks);
  async function* all() {
    yield head;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield Buffer.from(next.value);
  }
  if (!isGzip(head)) return yield* all();
  const out = new PassThrough();
  const done = pipeline(all, createGunzip(), out);
  done.catch((error: Error) => out.destroy(error));
  yield* out as AsyncIterable<Buffer>;
  await done;
}

/** By the two bytes that every gzip begins with. */
export const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

const firstBytes = async (chunks: AsyncIterator<Buffer>): Promise<Buffer> => {
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, Buffer.from(next.value)]);
  }
  return head;
};
