import type { Transform } from "node:stream";
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { HttpError } from "./errors.ts";

/** Decompresses one body. */
export interface Decoder {
  readonly stream: Transform;
  /** Bytes that it holds at most beside what it gives out. */
  readonly memory: number;
}

/** A frame of zstd says how far it looks back, and that much is held: 8 MiB is what its highest usual level asks for. */
const zstdWindowLog = 23;

const decoders: Readonly<Record<string, () => Decoder>> = {
  gzip: () => ({ stream: createGunzip(), memory: 64 << 10 }),
  deflate: () => ({ stream: createInflate(), memory: 64 << 10 }),
  br: () => ({ stream: createBrotliDecompress(), memory: 1 << 20 }),
  zstd: () => ({
    stream: createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } }),
    memory: 1 << 20,
  }),
};

/** By the value of Content-Encoding; undefined: the body is plain. Throws HttpError 415. */
export const createDecoder = (header: string | undefined): Decoder | undefined => {
  if (header === undefined) return undefined;
  const name = header
    .trim()
    .toLowerCase()
    .replace(/^x-gzip$/, "gzip");
  if (name === "" || name === "identity") return undefined;
  const make = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
  if (make) return make();
  const understood = { "Accept-Encoding": "gzip, deflate, br, zstd" };
  throw new HttpError(415, "encoding", "this Content-Encoding is not understood", understood);
};
