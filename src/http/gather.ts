import type { Budget } from "./budget.ts";
import { HttpError, overloaded } from "./errors.ts";

/** What arrived of a body so far, counted against the budget. */
export interface Gathered {
  /** Throws HttpError when the piece is too much. */
  add(piece: Buffer): void;
  readonly size: number;
  /** Everything as one piece of memory. */
  join(): Buffer;
  /** Gives back what is held and forgets it. */
  drop(): void;
}

/** Pieces shorter than this are copied together: an object for each byte costs a hundred times the byte. */
const short = 1024;
const longestRun = 16 * 1024;
/** Pieces that a body may come in however short they are, and how long they must be on average beyond. */
const freePieces = 4096;
const meanPiece = 64;

const nothing = Buffer.alloc(0);

export const createGathered = (maxBytes: number, budget: Budget): Gathered => {
  let pieces: Buffer[] = [];
  let run = nothing;
  let used = 0;
  let size = 0;
  let count = 0;

  const endRun = (): void => {
    if (used > 0) pieces.push(run.subarray(0, used));
    run = nothing;
    used = 0;
  };
  const copy = (piece: Buffer): void => {
    if (used + piece.length > run.length) {
      endRun();
      run = Buffer.allocUnsafeSlow(Math.min(longestRun, Math.max(2 * short, size)));
    }
    piece.copy(run, used);
    used += piece.length;
  };

  return {
    add: (piece) => {
      if (size + piece.length > maxBytes) throw tooLarge(maxBytes);
      if (++count > freePieces && size < count * meanPiece)
        throw new HttpError(400, "fragmented", "the body comes in too many pieces");
      if (!budget.take(piece.length)) throw noRoom();
      size += piece.length;
      if (piece.length < short && pieces.length > 0) return copy(piece);
      if (used > 0) endRun();
      pieces.push(piece);
    },
    get size() {
      return size;
    },
    join: () => {
      if (used > 0) endRun();
      return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, size);
    },
    drop: () => {
      budget.give(size);
      size = 0;
      used = 0;
      pieces = [];
      run = nothing;
    },
  };
};

export const tooLarge = (max: number): HttpError =>
  new HttpError(413, "too_large", `the body is larger than ${max} bytes`);
export const noRoom = (): HttpError => overloaded("too many request bodies are being read");
