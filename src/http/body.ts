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
  readonly begin?: (() => void) | undefined;
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
export const readBody = (req: IncomingMessage, limits: BodyLimits): Promise<Body> => {
  const encoding = (req.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  const decoder = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
  if (!decoder && encoding !== "identity" && encoding !== "") {
    const understood = { "Accept-Encoding": "gzip, deflate, br, zstd" };
    return Promise.reject(new HttpError(415, "encoding", "this Content-Encoding is not understood", understood));
  }
  const announced = Number(req.headers["content-length"] ?? 0);
  if (announced > limits.maxBytes) return Promise.reject(tooLarge(limits.maxBytes));
  if (!fits(limits.budget, announced)) return Promise.reject(noRoom());
  limits.begin?.();
  return decoder ? readDecoded(req, limits, decoder()) : readPlain(req, limits);
};

/** What arrived so far, counted against the budget. */
interface Gathered {
  readonly chunks: Buffer[];
  size: number;
}

/** Undefined: the chunk was taken. */
const keep = (into: Gathered, chunk: Buffer, { maxBytes, budget }: BodyLimits): HttpError | undefined => {
  if (into.size + chunk.length > maxBytes) return tooLarge(maxBytes);
  if (!budget.take(chunk.length)) return noRoom();
  into.size += chunk.length;
  into.chunks.push(chunk);
  return undefined;
};

const drop = (gathered: Gathered, budget: Budget): void => {
  budget.give(gathered.size);
  gathered.size = 0;
  gathered.chunks.length = 0;
};

const bodyOf = ({ chunks, size }: Gathered, wire: number, budget: Budget): Body => {
  let held = size;
  return {
    bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size),
    wire,
    release: () => {
      budget.give(held);
      held = 0;
    },
  };
};

/** The way of most requests: two listeners do the work, and all of them stay behind, for they cost less than they weigh. */
const readPlain = (req: IncomingMessage, limits: BodyLimits): Promise<Body> =>
  new Promise((resolve, reject) => {
    const gathered: Gathered = { chunks: [], size: 0 };
    let over = false;
    const fail = (error: HttpError): void => {
      over = true;
      drop(gathered, limits.budget);
      reject(error);
    };
    req.on("data", (chunk: Buffer) => {
      if (over) return;
      const fault = keep(gathered, chunk, limits);
      if (fault) fail(fault);
    });
    req.on("end", () => {
      if (over) return;
      over = true;
      resolve(bodyOf(gathered, gathered.size, limits.budget));
    });
    // Comes after an error, too.
    req.on("close", () => {
      if (!over) fail(aborted());
    });
  });

const readDecoded = (req: IncomingMessage, limits: BodyLimits, decode: Transform): Promise<Body> =>
  new Promise((resolve, reject) => {
    const gathered: Gathered = { chunks: [], size: 0 };
    let wire = 0;

    const detach = (): void => {
      req.off("data", onWire).off("error", onAbort).off("close", onAbort);
      // A late error of either stream must find a listener.
      req.on("error", ignore);
      req.unpipe(decode);
      decode.removeAllListeners();
      decode.on("error", ignore);
      decode.destroy();
    };
    const fail = (error: HttpError): void => {
      detach();
      drop(gathered, limits.budget);
      reject(error);
    };
    const onWire = (chunk: Buffer): void => {
      wire += chunk.length;
      if (wire > limits.maxBytes) fail(tooLarge(limits.maxBytes));
    };
    const onAbort = (): void => {
      // The request closes before the last bytes are decoded.
      if (!req.complete) fail(aborted());
    };

    req.on("data", onWire).on("error", onAbort).on("close", onAbort);
    decode.on("data", (chunk: Buffer) => {
      const fault = keep(gathered, chunk, limits);
      if (fault) fail(fault);
    });
    decode.on("end", () => {
      detach();
      resolve(bodyOf(gathered, wire, limits.budget));
    });
    decode.on("error", () => fail(new HttpError(400, "encoding", "the body is not what its Content-Encoding says")));
    req.pipe(decode);
  });

const ignore = (): void => {};

const fits = (budget: Budget, bytes: number): boolean => {
  if (!budget.take(bytes)) return false;
  budget.give(bytes);
  return true;
};

const tooLarge = (max: number): HttpError => new HttpError(413, "too_large", `the body is larger than ${max} bytes`);
const aborted = (): HttpError => new HttpError(400, "aborted", "the body ended early");
const noRoom = (): HttpError => overloaded("too many request bodies are being read");
