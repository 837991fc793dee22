import type { Logger } from "pino";
import { openToAnybody } from "../config/listeners.ts";
import { formatProblem } from "../config/problem.ts";
import type { HubConfig } from "../config/types.ts";
import { outputOfLane } from "../pipeline/lanes.ts";
import type { Queue } from "../queue/queue.ts";

/** Says at start what was understood: outputs, sources, queue, durability, addresses; and what needs a person. */
export const announce = async (
  config: HubConfig,
  addresses: readonly string[],
  queue: Queue,
  log: Logger,
): Promise<void> => {
  const { driver } = queue.status();
  for (const problem of config.off) log.error({ key: problem.key, ...problem.off }, formatProblem(problem));
  log.info({ outputs: config.outputs.map((o) => o.id) }, `outputs: ${config.outputs.map((o) => o.id).join(", ")}`);
  if (config.sources.length > 0)
    log.info({ sources: config.sources.map((s) => s.id) }, `sources: ${config.sources.map((s) => s.id).join(", ")}`);
  const where = driver === "sqlite" ? config.datadir : "Redis";
  log.info(
    { queue: driver, durability: config.queue.durability, role: config.role },
    `queue: ${driver} in ${where}, durability ${config.queue.durability}, role ${config.role}`,
  );
  const known = new Set(config.outputs.map((o) => o.id));
  const off = new Set(config.off.map((problem) => problem.off?.output));
  // A Redis that is away at start is no reason not to start: alerts are kept on the local disk.
  for (const lane of await queue.lanes().catch(() => [])) {
    const output = outputOfLane(lane);
    if (output !== undefined && !known.has(output))
      log.warn(
        { lane },
        `holds alerts of an output that is ${off.has(output) ? "off" : "no longer configured"}; they wait until it is back`,
      );
  }
  if (config.role !== "worker")
    for (const listening of openToAnybody(config, addresses))
      log.warn({ open: listening }, `anybody who reaches ${listening} can send alerts: auth.token asks for a token`);
  for (const listening of addresses) log.info({ listening }, `listening on ${listening}`);
};

/** Says loudly when the queue stops or begins to keep what it takes; returns what ends the watch. */
export const watchQueue = (queue: Queue, log: Logger): (() => void) => {
  let [durable, writable, warned] = [true, true, ""];
  const look = (): void => {
    const status = queue.status();
    const { warnings } = status;
    if (status.durable !== durable) {
      if (durable) log.error({ warnings }, "the queue is NOT durable: what it acknowledges can be lost");
      else log.info("the queue is durable again");
    }
    if (status.writable !== writable) {
      if (writable) log.error({ warnings }, "the queue takes nothing: senders are refused");
      else log.info("the queue takes alerts again");
    }
    const said = warnings.join("; ");
    if (said !== warned && said !== "" && status.durable && status.writable) log.warn({ warnings }, `queue: ${said}`);
    [durable, writable, warned] = [status.durable, status.writable, said];
  };
  const timer = setInterval(look, 1000).unref();
  return () => clearInterval(timer);
};
