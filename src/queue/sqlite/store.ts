/**
 * The file of the embedded queue: its tables, a file of statements each, and the transactions that the caller groups
 * their calls in. All calls are synchronous.
 */

import { DatabaseSync } from "node:sqlite";
import { privateFile } from "../private-files.ts";
import { openBodyTable } from "./body-table.ts";
import { openFactTables, openFigures } from "./fact-tables.ts";
import { openItemTable } from "./item-table.ts";
import type { Ledger } from "./ledger.ts";
import { openLetterTable } from "./letter-table.ts";
import { migrate } from "./schema.ts";
import { openStateTable } from "./state-table.ts";
import type { Books } from "./statement.ts";
import { pageSize } from "./wal.ts";

export type Store = ReturnType<typeof openStore>;

/** A store without a file. */
export const memory = ":memory:";

/**
 * Opens or creates the file; its log is folded at `logPages` pages. Throws node:sqlite's error when it is no database, and
 * NewerFile.
 */
export function openStore(path: string, logPages: number) {
  const db = openDatabase(path, logPages);
  const books: Books = { ledger: undefined };
  const facts = openFactTables(db, books);
  return {
    db,
    state: openStateTable(db),
    ...openTransactions(db, books, facts.setMeta),
    ...facts,
    ...openItemTable(db, books),
    ...openBodyTable(db),
    ...openLetterTable(db, books),
    ...openFigures(db),
  };
}

function openDatabase(path: string, logPages: number): DatabaseSync {
  if (path !== memory) privateFile(path);
  const db = new DatabaseSync(path, { timeout: 1000 });
  try {
    db.exec(
      `PRAGMA page_size=${pageSize}; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;` +
        `PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=${logPages}; PRAGMA cell_size_check=ON;` +
        "PRAGMA journal_size_limit=16777216;",
    );
    migrate(db);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

function openTransactions(db: DatabaseSync, books: Books, setMeta: (name: string, value: number) => void) {
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = db.prepare("ROLLBACK");
  return {
    /** Every transaction from now on is counted there, too. */
    countIn: (ledger: Ledger) => {
      books.ledger = ledger;
    },
    begin: () => {
      books.ledger?.forget();
      begin.run();
    },
    commit: () => {
      books.ledger?.prepare();
      commit.run();
      books.ledger?.confirm();
    },
    rollback: () => {
      books.ledger?.forget();
      if (db.isTransaction) rollback.run();
    },
    /** Folds the log into the file, and the count begins anew when it is long. Throws what the disk refuses. */
    fold: () => {
      const { busy, log, checkpointed } = db.prepare("PRAGMA wal_checkpoint").get() ?? {};
      if (!books.ledger?.isLong() || busy !== 0 || log !== checkpointed) return;
      books.ledger.snapshot();
      setMeta("count", books.ledger.generation());
    },
    /** The count has become long: it is time to fold. */
    isLong: () => books.ledger?.isLong() ?? false,
    closeCount: (clean: boolean) => books.ledger?.close(clean),
  };
}
