import type { IncomingMessage } from "node:http";
import type { Budget } from "./budget.ts";
import { createDecoder, type Decoder } from "./decoder.ts";
import { gaveWay, HttpError } from "./errors.ts";
import { Gathered, noRoom, tooLarge } from "./gather.ts";
import { type Cut, createOpenBodies, type OpenBodies } from "./open-bodies.ts";

export interface BodyLimits {
  /** Of the body, as sent and decompressed alike. */
  readonly maxBytes: number;
  readonly budget: Budget;
  /** Bytes that one byte as sent may become, above the first mebibyte; absent: as many as `maxBytes` lets through. */
  readonly maxRatio?: number;
  /** The others that are being read, with the time that each has. */
  readonly open?: OpenBodies;
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

/** Bodies of no door: the operators', which give way to nobody. */
const elsewhere = createOpenBodies(30_000);
const freeOfRatio = 1 << 20;

/**
 * Reads a request's body, decompressed on the fly so that a bomb is caught at the limit. Rejects with HttpError: 413, 415,
 * 400 for a broken encoding, 408 when it does not come in time, 503 when the budget is spent or when it gives way to
 * others. The caller answers while the sender may still be sending.
 */
export const readBody = (req: IncomingMessage, limits: BodyLimits): Promise<Body> => {
  const { maxBytes, budget } = limits;
  let decoder: Decoder | undefined;
  try {
    decoder = createDecoder(req.headers["content-encoding"]);
    const announced = Number(req.headers["content-length"] ?? 0);
    if (announced > maxBytes) throw tooLarge(maxBytes);
    if (!fits(budget, announced + (decoder?.memory ?? 0))) throw noRoom();
  } catch (error) {
    decoder?.stream.destroy();
    return Promise.reject(error);
  }
  limits.begin?.();
  return decoder ? readDecoded(req, limits, decoder) : readPlain(req, limits);
};

const bodyOf = (bytes: Buffer, wire: number, budget: Budget): Body => {
  let held = bytes.length;
  return {
    bytes,
    wire,
    release: () => {
      budget.give(held);
      held = 0;
    },
  };
};

/** The way of most requests: three listeners do the work, and all of them stay behind, for they cost less than they weigh. */
const readPlain = (req: IncomingMessage, limits: BodyLimits): Promise<Body> =>
  new Promise((resolve, reject) => {
    const { maxBytes, budget, open = elsewhere } = limits;
    const gathered = new Gathered(maxBytes, budget);
    let over = false;
    const fail = (error: unknown): void => {
      if (over) return;
      over = true;
      open.delete(entry);
      gathered.drop();
      reject(error);
    };
    const entry = open.add((why) => fail(cutError(why)));
    req.on("data", (chunk: Buffer) => {
      if (over) return;
      try {
        gathered.add(chunk);
      } catch (error) {
        fail(error);
      }
    });
    req.on("end", () => {
      if (over) return;
      over = true;
      open.delete(entry);
      resolve(bodyOf(gathered.join(), gathered.size, budget));
    });
    // Comes after an error, too.
    req.on("close", () => {
      if (!over) fail(aborted());
    });
  });

const readDecoded = (req: IncomingMessage, limits: BodyLimits, { stream, memory }: Decoder): Promise<Body> =>
  new Promise((resolve, reject) => {
    const { maxBytes, budget, open = elsewhere, maxRatio = Infinity } = limits;
    const gathered = new Gathered(maxBytes, budget);
    budget.take(memory);
    let wire = 0;
    let over = false;

    const detach = (): void => {
      over = true;
      open.delete(entry);
      budget.give(memory);
      req.off("data", onWire).off("error", onAbort).off("close", onAbort);
      // A late error of either stream must find a listener.
      req.on("error", ignore);
      req.unpipe(stream);
      stream.removeAllListeners();
      stream.on("error", ignore);
      stream.destroy();
    };
    const fail = (error: unknown): void => {
      if (over) return;
      detach();
      gathered.drop();
      reject(error);
    };
    const onWire = (chunk: Buffer): void => {
      wire += chunk.length;
      if (wire > maxBytes) fail(tooLarge(maxBytes));
    };
    const onAbort = (): void => {
      // The request closes before the last bytes are decoded.
      if (!req.complete) fail(aborted());
    };
    const entry = open.add((why) => fail(cutError(why)));

    req.on("data", onWire).on("error", onAbort).on("close", onAbort);
    stream.on("data", (chunk: Buffer) => {
      try {
        gathered.add(chunk);
        if (gathered.size > Math.max(freeOfRatio, wire * maxRatio)) throw tooDense(maxRatio);
      } catch (error) {
        fail(error);
      }
    });
    stream.on("end", () => {
      const bytes = gathered.join();
      detach();
      resolve(bodyOf(bytes, wire, budget));
    });
    stream.on("error", () => fail(new HttpError(400, "encoding", "the body is not what its Content-Encoding says")));
    req.pipe(stream);
  });

const ignore = (): void => {};

const fits = (budget: Budget, bytes: number): boolean => {
  if (!budget.take(bytes)) return false;
  budget.give(bytes);
  return true;
};

const cutError = (why: Cut): HttpError =>
  why === "late" ? new HttpError(408, "timeout", "the body did not come in time") : gaveWay();
const aborted = (): HttpError => new HttpError(400, "aborted", "the body ended early");
const tooDense = (ratio: number): HttpError =>
  new HttpError(413, "ratio", `the body grows more than ${ratio} times when it is decompressed`);
