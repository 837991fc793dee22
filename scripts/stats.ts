/** How many outputs there are and how long they are: the file that the registry names, and with the files beside it. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { modulesIn } from "./gen/registry.ts";

const folder = join(import.meta.dirname, "../outputs");
const linesOf = (path: string): number => readFileSync(path, "utf8").trimEnd().split("\n").length;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle - 0.5)] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
};

const modules = modulesIn(folder);
const own = modules.map((path) => linesOf(join(folder, path)));
const whole = modules.map((path, i) => {
  const home = dirname(join(folder, path));
  return home === folder ? (own[i] ?? 0) : sum(readdirSync(home).map((name) => linesOf(join(home, name))));
});
const told = (numbers: readonly number[]) => `median ${median(numbers)} lines, longest ${Math.max(...numbers)} lines`;
console.log(`outputs ${modules.length}, ${told(own)}; with the files beside them ${told(whole)}`);
