import type { Budget } from "./budget.ts";
import { HttpError, overloaded } from "./errors.ts";

/** Pieces shorter than this are copied together: an object for each byte costs a hundred times the byte. */
const short = 1024;
const longestRun = 16 * 1024;
/** Pieces that a body may come in however short they are, and how long they must be on average beyond. */
const freePieces = 4096;
const meanPiece = 64;
const nothing = Buffer.alloc(0);

/** What arrived of a body so far, counted against the budget. */
export class Gathered {
  size = 0;
  readonly #maxBytes: number;
  readonly #budget: Budget;
  #pieces: Buffer[] = [];
  #count = 0;
  /** Short pieces behind the others, and how much of it is used. */
  #run = nothing;
  #used = 0;

  constructor(maxBytes: number, budget: Budget) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  /** Throws HttpError when the piece is too much. */
  add(piece: Buffer): void {
    if (this.size + piece.length > this.#maxBytes) throw tooLarge(this.#maxBytes);
    if (++this.#count > freePieces && this.size < this.#count * meanPiece)
      throw new HttpError(400, "fragmented", "the body comes in too many pieces");
    if (!this.#budget.take(piece.length)) throw noRoom();
    this.size += piece.length;
    if (piece.length < short && this.#pieces.length > 0) {
      this.#copy(piece);
      return;
    }
    this.#endRun();
    this.#pieces.push(piece);
  }

  /** Everything as one piece of memory. */
  join(): Buffer {
    this.#endRun();
    return this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces, this.size);
  }

  /** Gives back what is held and forgets it. */
  drop(): void {
    this.#budget.give(this.size);
    this.size = 0;
    this.#used = 0;
    this.#run = nothing;
    this.#pieces = [];
  }

  #copy(piece: Buffer): void {
    if (this.#used + piece.length > this.#run.length) {
      this.#endRun();
      this.#run = Buffer.allocUnsafeSlow(Math.min(longestRun, Math.max(2 * short, this.size)));
    }
    piece.copy(this.#run, this.#used);
    this.#used += piece.length;
  }

  #endRun(): void {
    if (this.#used === 0) return;
    this.#pieces.push(this.#run.subarray(0, this.#used));
    this.#run = nothing;
    this.#used = 0;
  }
}

export const tooLarge = (max: number): HttpError =>
  new HttpError(413, "too_large", `the body is larger than ${max} bytes`);
export const noRoom = (): HttpError => overloaded("too many request bodies are being read");
