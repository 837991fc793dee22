/**
 * What a delivery costs: CPU per delivery of the hub as a multiple of a relay in Go that parses, answers and posts at
 * once and keeps nothing (bench/yardstick), in one run; with events per second, peak memory, losses and duplicates.
 *
 *   npm run bench:throughput -- [--n 20000] [--connections 32] [--only sqlite-1,redis-4] [--runs 1]
 *
 * Linux, Go 1.24 (builds the yardstick) and, for the redis rows, a redis-server.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { cpuSeconds, residentMib, tree } from "./processes.ts";

const { values: flags } = parseArgs({
  options: {
    n: { type: "string", default: "20000" },
    connections: { type: "string", default: "32" },
    only: { type: "string", default: "" },
    runs: { type: "string", default: "1" },
    yardstick: { type: "string", default: "" },
  },
});
const n = Number(flags.n);
const root = join(import.meta.dirname, "..");
/** The hub's own flags, as `npm start` passes them. */
const runtimeFlags = ["--max-semi-space-size=16"];
const scratch = mkdtempSync(join(tmpdir(), "eyrie-bench-"));
const started: ChildProcess[] = [];

const start = (command: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess => {
  const child = spawn(command, args, { stdio: "ignore", cwd: scratch, env: { PATH: process.env.PATH ?? "", ...env } });
  started.push(child);
  return child;
};
const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const force = setTimeoutKill(child);
  await gone;
  clearTimeout(force);
};
const setTimeoutKill = (child: ChildProcess) => setTimeout(() => child.kill("SIGKILL"), 10_000);

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
const answers = async (url: string): Promise<void> => {
  for (let i = 0; i < 300; i++) {
    if (
      await fetch(url).then(
        (r) => r.ok,
        () => false,
      )
    )
      return;
    await sleep(100);
  }
  throw new Error(`${url} never answered`);
};

/** One yardstick binary serves as sink, load generator and relay. */
const yardstick = flags.yardstick || join(scratch, "yardstick");
if (!flags.yardstick)
  execFileSync("go", ["build", "-o", yardstick, "."], { cwd: join(root, "bench/yardstick"), stdio: "inherit" });

type Tally = Record<string, { requests: number; ids: number; unique: number }>;

interface Row {
  readonly name: string;
  readonly cpuUs: number;
  readonly intakePerS: number;
  readonly deliveredPerS: number;
  readonly peakMib: number;
  readonly lost: number;
  readonly duplicates: number;
}

interface Subject {
  readonly outputs: number;
  /** Starts the gateway on the port, delivering to the sink; resolves with the pids whose CPU counts beside its tree. */
  run(
    port: number,
    sink: string,
  ): Promise<{ child: ChildProcess; ready: string; also: readonly number[]; stop(): Promise<void> }>;
}

const measure = async (name: string, subject: Subject): Promise<Row> => {
  const sinkPort = await freePort();
  const sink = start(yardstick, ["sink", "-addr", `127.0.0.1:${sinkPort}`]);
  const sinkUrl = `http://127.0.0.1:${sinkPort}`;
  await answers(`${sinkUrl}/__counts`);
  const port = await freePort();
  const gateway = await subject.run(port, sinkUrl);
  try {
    await answers(gateway.ready);
    const counts = async (): Promise<Tally> => (await fetch(`${sinkUrl}/__counts`)).json() as Promise<Tally>;
    const settled = async (want: number): Promise<number> => {
      let best = -1;
      let since = performance.now();
      for (;;) {
        const per = Object.entries(await counts()).filter(([path, t]) => path !== "__failed" && t.unique > 0);
        const least = per.length < subject.outputs ? 0 : Math.min(...per.map(([, t]) => t.unique));
        if (least >= want) return performance.now();
        if (least !== best) [best, since] = [least, performance.now()];
        if (performance.now() - since > 8000) return since;
        await sleep(20);
      }
    };
    const load = (count: number, base: number): { per_s: number } => {
      const args = [
        "load",
        "-url",
        `http://127.0.0.1:${port}/`,
        "-n",
        `${count}`,
        "-c",
        flags.connections,
        "-base",
        `${base}`,
      ];
      return JSON.parse(execFileSync(yardstick, args, { encoding: "utf8" })) as { per_s: number };
    };
    load(2000, 10_000_000);
    await settled(2000);
    await sleep(500);
    await fetch(`${sinkUrl}/__reset`);
    const pids = () => [...tree(gateway.child.pid as number), ...gateway.also];
    const watcher = start(process.execPath, [
      join(root, "bench/peak.ts"),
      String(gateway.child.pid),
      join(scratch, "peak"),
    ]);
    const [cpu0, t0] = [cpuSeconds(pids()), performance.now()];
    const { per_s } = load(n, 0);
    const t1 = await settled(n);
    const cpu = cpuSeconds(pids()) - cpu0;
    const peakMib = Math.max(residentMib(tree(gateway.child.pid as number)), await peakOf(watcher));
    const tallies = Object.entries(await counts()).filter(([path]) => path !== "__failed");
    const unique = tallies.reduce((sum, [, t]) => sum + t.unique, 0);
    return {
      name,
      cpuUs: (cpu * 1e6) / Math.max(1, unique),
      intakePerS: per_s,
      deliveredPerS: (unique * 1000) / (t1 - t0),
      peakMib,
      lost: n * subject.outputs - unique,
      duplicates: tallies.reduce((sum, [, t]) => sum + t.ids, 0) - unique,
    };
  } finally {
    await gateway.stop();
    await end(sink);
  }
};

/** The watcher prints its peak when it is told to stop. */
const peakOf = async (watcher: ChildProcess): Promise<number> => {
  await end(watcher);
  const { readFileSync } = await import("node:fs");
  return Number(readFileSync(join(scratch, "peak"), "utf8"));
};

const relay = (outputs: number): Subject => ({
  outputs,
  run: async (port, sink) => {
    const to = Array.from({ length: outputs }, (_, i) => `${sink}/target-${i}`);
    const child = start(yardstick, ["relay", "-addr", `127.0.0.1:${port}`, "-to", to.join(",")]);
    return { child, ready: `http://127.0.0.1:${port}/ping`, also: [], stop: () => end(child) };
  },
});

/** In the order in which rows add them. */
const outputConfigs = (sink: string): string[] => [
  `webhook:\n  address: ${sink}/webhook\n`,
  `slack:\n  webhookurl: ${sink}/slack\n`,
  `elasticsearch:\n  hostport: ${sink}\n`,
  `loki:\n  hostport: ${sink}\n`,
  `rocketchat:\n  webhookurl: ${sink}/rocketchat\n`,
  `mattermost:\n  webhookurl: ${sink}/mattermost\n`,
  `teams:\n  webhookurl: ${sink}/teams\n`,
  `datadog:\n  apikey: bench\n  host: ${sink}\n`,
  `alertmanager:\n  hostport: ${sink}\n`,
  `influxdb:\n  hostport: ${sink}\n`,
];

const hub = (outputs: number, driver: "sqlite" | "redis"): Subject => ({
  outputs,
  run: async (port, sink) => {
    const dir = mkdtempSync(join(scratch, "hub-"));
    const file = join(dir, "config.yaml");
    writeFileSync(file, outputConfigs(sink).slice(0, outputs).join(""));
    const env: Record<string, string> = {
      LISTENADDRESS: "127.0.0.1",
      LISTENPORT: String(port),
      DATADIR: join(dir, "data"),
      LOG_LEVEL: "warn",
    };
    const also: ChildProcess[] = [];
    if (driver === "redis") {
      const redisPort = await freePort();
      also.push(
        start("redis-server", [
          "--port",
          `${redisPort}`,
          "--bind",
          "127.0.0.1",
          "--dir",
          dir,
          "--appendonly",
          "yes",
          "--save",
          "",
          "--maxmemory-policy",
          "noeviction",
        ]),
      );
      env.QUEUE_REDIS_URL = `redis://127.0.0.1:${redisPort}`;
      await sleep(500);
    }
    const child = start(process.execPath, [...runtimeFlags, join(root, "src/eyrie.js"), "-c", file], env);
    return {
      child,
      ready: `http://127.0.0.1:${port}/ping`,
      also: also.map((c) => c.pid as number),
      stop: async () => {
        await end(child);
        for (const c of also) await end(c);
      },
    };
  },
});

const rows: Record<string, Subject> = {
  "relay-1": relay(1),
  "relay-4": relay(4),
  "relay-10": relay(10),
  "sqlite-1": hub(1, "sqlite"),
  "sqlite-4": hub(4, "sqlite"),
  "sqlite-10": hub(10, "sqlite"),
  "redis-1": hub(1, "redis"),
  "redis-4": hub(4, "redis"),
};

const only = flags.only ? new Set(flags.only.split(",")) : undefined;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;
try {
  const results: Row[] = [];
  for (let run = 0; run < Number(flags.runs); run++)
    for (const [name, subject] of Object.entries(rows))
      if (!only || only.has(name) || name.startsWith("relay")) results.push(await measure(name, subject));
  console.log("row        CPU/delivery  x relay  intake/s  delivered/s  peak MiB  lost  duplicates");
  for (const name of new Set(results.map((r) => r.name))) {
    const of = results.filter((r) => r.name === name);
    const cost = (rowName: string) => median(results.filter((r) => r.name === rowName).map((r) => r.cpuUs));
    const ratio = cost(name) / cost(`relay-${(rows[name] as Subject).outputs}`);
    const m = (pick: (r: Row) => number) => median(of.map(pick));
    console.log(
      [
        name.padEnd(10),
        `${m((r) => r.cpuUs).toFixed(1)} µs`.padStart(12),
        ratio.toFixed(2).padStart(8),
        m((r) => r.intakePerS)
          .toFixed(0)
          .padStart(9),
        m((r) => r.deliveredPerS)
          .toFixed(0)
          .padStart(12),
        m((r) => r.peakMib)
          .toFixed(0)
          .padStart(9),
        String(Math.max(...of.map((r) => r.lost))).padStart(5),
        String(Math.max(...of.map((r) => r.duplicates))).padStart(11),
      ].join(" "),
    );
  }
} finally {
  for (const child of started) await end(child);
  rmSync(scratch, { recursive: true, force: true });
}
