/** The table of dead letters, and every statement that touches it but those that count over more tables. */

import type { DatabaseSync } from "node:sqlite";
import { type Books, figureOf } from "./statement.ts";

export interface LetterRow {
  readonly seq: number;
  readonly id: string;
  readonly at: number;
  readonly died: number;
  readonly count: number;
  readonly why: string;
  readonly body: string;
}

/** Of a dead letter; `size` is its body's, in bytes. */
export interface LetterSize {
  readonly seq: number;
  readonly lane: number;
  readonly count: number;
  readonly size: number;
}

const letterColumns = "seq, id, at, died, count, why, body";
const sizes = "SELECT seq, lane, count, octet_length(body) AS size FROM dead";

export function openLetterTable(db: DatabaseSync, books: Books) {
  const addDead = db.prepare("INSERT OR IGNORE INTO dead(lane,id,at,died,count,why,body) VALUES(?,?,?,?,?,?,?)");
  const letters = db.prepare(`SELECT ${letterColumns} FROM dead WHERE lane=? AND seq>? ORDER BY seq LIMIT ?`);
  const lastLetter = figureOf(db, "SELECT max(seq) FROM dead WHERE lane=?");
  const letterById = db.prepare(`SELECT ${letterColumns} FROM dead WHERE lane=? AND id=?`);
  const dropLetter = db.prepare("DELETE FROM dead WHERE seq=?");
  const oldestLetters = db.prepare(`${sizes} ORDER BY seq LIMIT 100`);
  const lettersAbove = db.prepare(`${sizes} WHERE octet_length(body)>? LIMIT 100`);
  return {
    addDead: (lane: number, r: Omit<LetterRow, "seq">) => {
      const { changes } = addDead.run(lane, r.id, r.at, r.died, r.count, r.why, r.body);
      if (changes === 1) books.ledger?.op("dead", lane, 0, r.count);
      return changes === 1;
    },
    letters: (lane: number, after: number, limit: number) => letters.all(lane, after, limit) as unknown as LetterRow[],
    /** Number of the lane's newest letter; 0: none. */
    lastLetter: (lane: number) => lastLetter(lane),
    letter: (lane: number, id: string) => letterById.get(lane, id) as unknown as LetterRow | undefined,
    dropLetter: (lane: number, { seq, count }: Pick<LetterRow, "seq" | "count">) => {
      dropLetter.run(seq);
      books.ledger?.op("dead", lane, 0, -count);
    },
    oldestLetters: () => oldestLetters.all() as unknown as LetterSize[],
    lettersAbove: (bytes: number) => lettersAbove.all(bytes) as unknown as LetterSize[],
    deadBytes: figureOf(db, "SELECT total(octet_length(body)) FROM dead"),
  };
}
