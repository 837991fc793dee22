import { execFileSync } from "node:child_process";
import { closeSync, constants, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientServer } from "../support/client-server.ts";

/** `answer`: a path that cannot be written. */
export default {
  open: async ({ answer, fault }) => {
    const folder = mkdtempSync(join(tmpdir(), "eyrie-clients-"));
    const filename = answer ?? join(folder, "alerts.jsonl");
    // A pipe that nobody reads takes nothing and says nothing.
    if (fault === "hang") execFileSync("mkfifo", [filename]);
    return {
      settings: () => ({ filename }),
      arrived: () => (existsSync(filename) ? readFileSync(filename, "utf8") : ""),
      connections: () => 0,
      poured: () => 0,
      close: async () => {
        if (fault === "hang") closeSync(openSync(filename, constants.O_RDONLY | constants.O_NONBLOCK));
        rmSync(folder, { recursive: true });
      },
    };
  },
  refusals: {
    "a folder that is not there": { answer: "/nowhere/alerts.jsonl", reason: "other", retryable: true },
    "a full disk": { answer: "/dev/full", reason: "other", retryable: true },
  },
  lacks: {
    connection: "a file is opened, not connected to",
    partial: "a batch is written or taken back",
    throttling: "a disk does not ask for patience",
    tls: "a file is opened, not connected to",
  },
} satisfies ClientServer<string>;
