/** How many outputs there are and how long their files are. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../outputs");
const lengths = readdirSync(folder)
  .filter((name) => name.endsWith(".ts") && name !== "index.ts")
  .map((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n").length)
  .sort((a, b) => a - b);
const middle = lengths.length / 2;
const median = ((lengths[Math.floor(middle - 0.5)] ?? 0) + (lengths[Math.floor(middle)] ?? 0)) / 2;
console.log(`outputs ${lengths.length}, median ${median} lines, longest ${lengths.at(-1) ?? 0} lines`);
