/** A process to be killed or stopped: does the work of lease `w` of the Redis in argv[2] and says each thing that happens. */

import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { openRedisLeases } from "../../src/queue/redis/lease.ts";

const [url = "", name = ""] = process.argv.slice(2);
const say = (what: string): void => void process.stdout.write(`${what}\n`);

const leases = openRedisLeases(
  { url },
  { uuid: randomUUID, monotonic: () => performance.now(), log: (_level, message) => say(`log ${message}`) },
);
const { close } = leases.hold("w", async ({ token, signal, checkpoint }) => {
  say(`held ${token} after ${(await checkpoint.get("at")) ?? "nothing"}`);
  // Goes on without a look at the signal, as one would who was stopped between the look and the write.
  for (let n = 1; ; n++) {
    try {
      await checkpoint.set("at", `${name}${n}`);
      if (n === 1) say("wrote");
    } catch (error) {
      say(`refused ${(error as Error).name}`);
      throw error;
    }
    if (signal.aborted && process.exitCode === 0) return;
    await sleep(20);
  }
});
process.once("SIGTERM", async () => {
  process.exitCode = 0;
  await close();
  await leases.close();
  process.exit();
});
say("up");
