#!/usr/bin/env -S node --max-semi-space-size=16
// Plain JavaScript so that an old Node gets a sentence instead of a syntax error.
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  process.stderr.write(
    `eyrie: needs Node 24 or newer, this is ${process.versions.node}.\n` +
      "Run it with `npm start` (the checkout brings its own Node), or install Node 24.\n",
  );
  process.exit(1);
}
await import("./main.ts");
