/** A process of its own that works on an embedded queue and is killed. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";

const childFile = join(import.meta.dirname, "queue-child.ts");

/** The arguments are those of queue-child.ts. */
export function child(t: TestContext, ...args: string[]) {
  const process_ = spawn(process.execPath, [childFile, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => process_.kill("SIGKILL"));
  const lines: string[] = [];
  createInterface({ input: process_.stdout }).on("line", (line) => lines.push(line));
  const gone = once(process_, "close");
  const kill = async () => {
    process_.kill("SIGKILL");
    await gone;
  };
  return { lines, gone, kill };
}
