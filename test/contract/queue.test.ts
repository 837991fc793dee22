import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteQueue } from "../../src/queue/sqlite.ts";
import { suite } from "./queue-suite.ts";

const folder = () => mkdtempSync(join(tmpdir(), "eyrie-queue-"));

for (const durability of ["normal", "full"] as const)
  suite("sqlite", async () => {
    const dir = folder();
    return {
      open: async () => openSqliteQueue({ dir, durability, now: Date.now, throwDelayMs: 10 }),
      end: async () => rmSync(dir, { recursive: true, force: true }),
    };
  });
