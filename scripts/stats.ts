/** The house in figures. `test/unit/stats.test.ts` holds those that must not rise. */
import { basename } from "node:path";
import { cyclesOf } from "./house/cycles.ts";
import { castsByRoom, longFunctions, undocumented } from "./house/measures.ts";
import { readHouse } from "./house/modules.ts";

const median = (sorted: readonly number[]): number => {
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle - 0.5)] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
};

const house = readHouse();

/** Of each output: its own file, and all files of its folder. */
const outputs = new Map<string, { own: number; whole: number }>();
for (const { path, lines } of house) {
  const [room, name = "", file] = path.split("/");
  if (room !== "outputs" || path === "outputs/index.ts") continue;
  const output = outputs.get(basename(name, ".ts")) ?? { own: 0, whole: 0 };
  output.whole += lines;
  if (file === undefined || file === "index.ts") output.own += lines;
  outputs.set(basename(name, ".ts"), output);
}
const sizes = (of: "own" | "whole"): number[] => [...outputs.values()].map((o) => o[of]).sort((a, b) => a - b);

const [longest] = longFunctions(house, 0);
const [file] = house.toSorted((a, b) => b.lines - a.lines);
const sdk = undocumented(house.filter(({ path }) => path.startsWith("src/sdk/")));
const share = (100 * (sdk.total - sdk.places.length)) / sdk.total;

console.log(`outputs                  ${outputs.size}`);
console.log(`lines per output         median ${median(sizes("own"))}, with its helpers ${median(sizes("whole"))}`);
console.log(`longest function         ${longest?.lines} lines, ${longest?.place}`);
console.log(`longest file             ${file?.lines} lines, ${file?.path}`);
console.log(
  `cycles                   ${cyclesOf(house, (i) => !i.typeOnly && !i.lazy).length}, with types ${cyclesOf(house).length}`,
);
console.log(`casts                    ${[...castsByRoom(house)].map(([room, n]) => `${room} ${n}`).join(", ")}`);
console.log(`documented sdk exports   ${share.toFixed(1)} % of ${sdk.total}`);
if (process.argv.includes("--places")) for (const place of sdk.places) console.log(`  ${place}`);
