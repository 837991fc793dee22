/** How long a telling of all pods holds up everything else: milliseconds between two turns of the loop. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setImmediate as turn } from "node:timers/promises";
import { pino } from "pino";
import { openMetadata } from "../src/pipeline/enrich/metadata.ts";

export interface Blocks {
  readonly telling: number;
  readonly resync: number;
  /** While nothing is told. */
  readonly idle: number;
}

export const measureBlocks = async (pods: number): Promise<Blocks> => {
  const file = join(import.meta.dirname, "enrich-collector.ts");
  const child = spawn(process.execPath, [file, String(pods)], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line = ""] = (await once(createInterface({ input: child.stdout }), "line")) as string[];
    const [address = "", told] = line.split(" ");
    return await follow(address, Number(told));
  } finally {
    child.kill();
  }
};

const follow = async (address: string, told: number): Promise<Blocks> => {
  let events = 0;
  const metadata = await openMetadata(
    {
      metadata: {
        collectors: [{ address, nodes: ["node-1"] }],
        annotations: [],
        maxobjects: Number.POSITIVE_INFINITY,
        maxbytes: Number.POSITIVE_INFINITY,
        grace: 0,
        readywithin: 0,
        wait: 0,
      },
      enrich: { add: [], as: {} },
      knownSources: [],
    },
    {
      log: pino({ level: "silent" }),
      random: Math.random,
      counts: {
        metadataHeard: (what) => {
          if (what === "event") events++;
        },
        metadataLookup: () => {},
      },
    },
  );
  try {
    const telling = await longest(() => events >= told);
    const resync = await longest(() => events >= 2 * told && metadata?.state().watches[0]?.synced === true);
    const until = Date.now() + 5000;
    return { telling, resync, idle: await longest(() => Date.now() > until) };
  } finally {
    await metadata?.close();
  }
};

/** Between two turns, the time or the thread's CPU, whichever is less: others that share the machine stop it now and then. */
const longest = async (over: () => boolean): Promise<number> => {
  let most = 0;
  let last = { ...process.threadCpuUsage(), at: performance.now() };
  while (!over()) {
    await turn();
    const { user, system } = process.threadCpuUsage();
    const at = performance.now();
    most = Math.max(most, Math.min(at - last.at, (user + system - last.user - last.system) / 1000));
    last = { user, system, at };
  }
  return most;
};
