/** What the tables of the embedded queue have in common: a figure that a statement reads, and the count beside the file. */

import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Ledger } from "./ledger.ts";

/** The count that changes are told to; none before the store was looked at. */
export interface Books {
  ledger: Ledger | undefined;
}

/** Reads the first column of the first row; 0: there is none, or it is null. */
export function figureOf(db: DatabaseSync, text: string) {
  const statement = db.prepare(text);
  return (...args: SQLInputValue[]) => Number(Object.values(statement.get(...args) ?? { n: 0 })[0] ?? 0);
}
