import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { loadConfig } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import { secretsOf } from "../config/redact.ts";
import { preflight } from "../hub/preflight.ts";
import { startHub } from "../hub/start.ts";
import { createLogger } from "../log/log.ts";
import { installLookup } from "../names/install.ts";
import type { Command } from "./command.ts";
import { version } from "./version.ts";

/** Runs the hub until SIGTERM or SIGINT; a second signal ends it at once. */
export const hub: Command = async (args, io) => {
  const { values: flags } = parseArgs({
    args: [...args],
    options: {
      "config-file": { type: "string", short: "c" },
      role: { type: "string" },
      option: { type: "string", short: "o", multiple: true },
      version: { type: "boolean", short: "v" },
    },
  });
  if (flags.version) {
    io.stdout.write(`eyrie ${version}\n`);
    return 0;
  }
  const overrides = [...(flags.option ?? []), ...(flags.role ? [`role=${flags.role}`] : [])];
  const load = (more: readonly string[]) =>
    loadConfig({ ...io, file: flags["config-file"], overrides: [...overrides, ...more] });
  const first = load([]);
  const { config, problems } = first.config.outputs.length > 0 ? first : load(["stdout.enabled=true"]);
  const { rules, problems: ofSurroundings } = await preflight(config);
  const stops = [...problems, ...ofSurroundings].some((p) => p.severity === "error");
  // A hub that starts logs what is off as errors, and what the rules warn of.
  for (const problem of stops ? [...problems, ...ofSurroundings] : problems.filter(({ off }) => !off))
    io.stderr.write(`${problem.severity}: ${formatProblem(problem)}\n`);
  if (stops) return 1;

  installLookup();
  const log = createLogger({ ...config.log, secrets: secretsOf(config) }, process.stderr);
  log.info(`eyrie ${version} on Node ${process.versions.node}`);
  const signal = nextSignal();
  const running = await startHub(config, { ...world, log, rules }).catch((error: unknown) => {
    log.fatal(error instanceof Error ? error.message : String(error));
    return undefined;
  });
  if (!running) return 1;
  log.info(`${await signal}: shutting down`);
  void nextSignal().then((again) => {
    log.warn(`${again} again: ending at once; what is queued is kept`);
    process.exit(1);
  });
  await running.close(config.shutdowntimeout);
  log.info("bye");
  process.exit(0);
};

const world = { now: Date.now, random: Math.random, uuid: randomUUID, version };

const nextSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    const signals = ["SIGTERM", "SIGINT"] as const;
    const heard = (signal: NodeJS.Signals): void => {
      for (const s of signals) process.off(s, heard);
      resolve(signal);
    };
    for (const s of signals) process.on(s, heard);
  });
