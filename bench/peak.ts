/** Watches a process tree until SIGTERM, then writes its peak resident memory (MiB) to a file: `peak.ts PID FILE`. */
import { writeFileSync } from "node:fs";
import { residentMib, tree } from "./processes.ts";

const [pid = "", file = ""] = process.argv.slice(2);
let peak = 0;
writeFileSync(file, "0");
const timer = setInterval(() => {
  peak = Math.max(peak, residentMib(tree(Number(pid))));
}, 100);
process.on("SIGTERM", () => {
  clearInterval(timer);
  writeFileSync(file, String(peak));
  process.exit(0);
});
