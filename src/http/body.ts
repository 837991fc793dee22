import type { IncomingMessage } from "node:http";
import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import type { Budget } from "./budget.ts";
import { HttpError, overloaded } from "./errors.ts";

export interface BodyLimits {
  /** Of the body, as sent and decompressed alike. */
  readonly maxBytes: number;
  readonly budget: Budget;
  /** Called when the body is wanted, before its first byte: the place for `100 Continue`. */
  readonly begin?: () => void;
}

export interface Body {
  /** Decompressed. */
  readonly bytes: Buffer;
  /** Length as sent. */
  readonly wire: number;
  /** Gives the bytes back to the budget; call it when the body is no longer needed. */
  release(): void;
}

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/**
 * Reads a request's body, decompressed on the fly so that a bomb is caught at the limit. Rejects with HttpError: 413, 415,
 * 400 for a broken encoding, 503 when the budget is spent. The caller answers while the sender may still be sending.
 */
export const readBody = (req: IncomingMessage, limits: BodyLimits): Promise<Body> =>
  new Promise((resolve, reject) => {
    const encoding = (req.headers["content-encoding"] ?? "identity").trim().toLowerCase();
    const decoder = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
    if (!decoder && encoding !== "identity" && encoding !== "") {
      return reject(
        new HttpError(415, "encoding", "this Content-Encoding is not understood", {
          "Accept-Encoding": "gzip, deflate, br, zstd",
        }),
      );
    }
    const announced = Number(req.headers["content-length"] ?? 0);
    if (announced > limits.maxBytes) return reject(tooLarge(limits.maxBytes));
    if (!fits(limits.budget, announced)) return reject(noRoom());

    const decode = decoder?.();
    const chunks: Buffer[] = [];
    let size = 0;
    let wire = 0;

    const detach = (): void => {
      req.off("data", onWire).off("end", onEnd).off("error", onAbort).off("close", onAbort);
      // A late error of either stream must find a listener.
      req.on("error", ignore);
      if (!decode) return;
      req.unpipe(decode);
      decode.removeAllListeners();
      decode.on("error", ignore);
      decode.destroy();
    };
    const fail = (error: HttpError): void => {
      detach();
      limits.budget.give(size);
      size = 0;
      chunks.length = 0;
      reject(error);
    };
    const keep = (chunk: Buffer): void => {
      if (size + chunk.length > limits.maxBytes) fail(tooLarge(limits.maxBytes));
      else if (!limits.budget.take(chunk.length)) fail(noRoom());
      else {
        size += chunk.length;
        chunks.push(chunk);
      }
    };
    const onWire = (chunk: Buffer): void => {
      wire += chunk.length;
      if (!decode) keep(chunk);
      else if (wire > limits.maxBytes) fail(tooLarge(limits.maxBytes));
    };
    const onEnd = (): void => {
      const held = size;
      detach();
      const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, held);
      chunks.length = 0;
      resolve({ bytes, wire, release: releaseOnce(limits.budget, held) });
    };
    const onAbort = (): void => {
      // With a decoder the request closes before the last bytes are decoded.
      if (!req.complete) fail(new HttpError(400, "aborted", "the body ended early"));
    };

    limits.begin?.();
    req.on("data", onWire).on("error", onAbort).on("close", onAbort);
    if (!decode) {
      req.on("end", onEnd);
      return;
    }
    decode.on("data", keep).on("end", onEnd);
    decode.on("error", () => fail(new HttpError(400, "encoding", "the body is not what its Content-Encoding says")));
    req.pipe(decode);
  });

const ignore = (): void => {};

const fits = (budget: Budget, bytes: number): boolean => {
  if (!budget.take(bytes)) return false;
  budget.give(bytes);
  return true;
};

const releaseOnce = (budget: Budget, bytes: number) => {
  let held = bytes;
  return (): void => {
    budget.give(held);
    held = 0;
  };
};

const tooLarge = (max: number): HttpError => new HttpError(413, "too_large", `the body is larger than ${max} bytes`);
const noRoom = (): HttpError => overloaded("too many request bodies are being read");
