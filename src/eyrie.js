#!/usr/bin/env -S node --max-semi-space-size=16
import module from "node:module";
import { join } from "node:path";

// Plain JavaScript so that an old Node gets a sentence instead of a syntax error.
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  process.stderr.write(
    `eyrie: needs Node 24 or newer, this is ${process.versions.node}.\n` +
      "Run it with `npm start` (the checkout brings its own Node), or install Node 24.\n",
  );
  process.exit(1);
}
// Halves the start of a command. Beside the code, which nobody else can write, and not in a shared folder for temporary
// files; where that is read-only there is no cache.
module.enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/eyrie"));
await import("./main.ts");
