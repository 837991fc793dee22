import { join } from "node:path";
import type { Logger } from "pino";
import type { HubConfig, RedisSettings } from "../config/types.ts";
import { notRepeating } from "../log/not-repeating.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { outputOfLane } from "../pipeline/lanes.ts";
import type { Leases } from "../queue/lease.ts";
import { openQueue, type QueueSettings } from "../queue/open.ts";
import { openLeases } from "../queue/open-leases.ts";
import { privateDataFolder } from "../queue/private-files.ts";
import type { Queue } from "../queue/queue.ts";
import { createThrottledLog } from "../sdk/throttled-log.ts";

/** What the configuration says of the queue, as the queue takes it. */
export const queueSettingsOf = ({ queue, datadir, role }: HubConfig): QueueSettings => ({
  driver: queue.driver,
  durability: queue.durability,
  datadir,
  // A worker beside an intake may share its data directory.
  spill: role === "worker" ? "spill-worker" : "spill",
  memory: queue.memory,
  maxBytes: queue.maxbytes || Number.POSITIVE_INFINITY,
  ...(queue.driver === "redis" && { redis: redisSettings(queue.redis) }),
});

/** Opens the queue that the configuration names. Rejects with QueueError when its directory cannot be used. */
export const openConfiguredQueue = (
  config: HubConfig,
  parts: { readonly log: Logger; readonly metrics: Metrics; readonly now: () => number },
): Promise<Queue> => {
  const { datadir } = config;
  const log = parts.log.child({ part: "queue" });
  if (!privateDataFolder(datadir))
    log.warn({ datadir }, "others can look into the data directory; what the hub keeps in it is shut to them");
  const dropped = createThrottledLog(log);
  return openQueue(queueSettingsOf(config), {
    now: parts.now,
    log: notRepeating((level, message) => log[level](message), parts.now),
    onReplaced: (lane) => {
      log.warn({ lane }, "a consumer had stopped fetching from Redis and was replaced");
      parts.metrics.redisWatchdogRestart();
    },
    onDead: (lane, reason, events) => parts.metrics.putAside(outputOfLane(lane) ?? lane, reason, events),
    onDropped: (lane, events) => {
      parts.metrics.lettersDropped(lane, events);
      dropped.warn(lane, { lane }, "dead letters were dropped to keep within their room, the oldest first", events);
    },
    onOutage: (away, full) => {
      if (full)
        log.error("Redis has reached its maxmemory: alerts are kept on the local disk and delivered from there");
      else if (away) log.error("Redis does not answer: alerts are kept on the local disk until it is back");
      else log.info("Redis is back: what was kept on the local disk is drained into it");
    },
  });
};

/** Leases in the form that goes with the queue. */
export const openConfiguredLeases = (
  { queue, datadir }: HubConfig,
  { log, uuid }: { readonly log: Logger; readonly uuid: () => string },
): Promise<Leases> =>
  openLeases(
    {
      driver: queue.driver,
      dir: join(datadir, "checkpoints"),
      ...(queue.driver === "redis" && { redis: redisSettings(queue.redis) }),
    },
    { uuid, monotonic: () => performance.now(), log: (level, message) => log[level]({ part: "lease" }, message) },
  );

const nodeOf = (address: string): { host: string; port: number } => {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
};

const redisSettings = (redis: RedisSettings) => ({
  prefix: redis.prefix,
  ...(redis.url && { url: redis.url }),
  ...(redis.username && { username: redis.username }),
  ...(redis.password && { password: redis.password }),
  ...(redis.cluster.length > 0 && { cluster: redis.cluster.map(nodeOf) }),
  ...(redis.sentinels.length > 0 && {
    sentinel: {
      nodes: redis.sentinels.map(nodeOf),
      name: redis.sentinelname,
      ...(redis.sentinelusername && { username: redis.sentinelusername }),
      ...(redis.sentinelpassword && { password: redis.sentinelpassword }),
    },
  }),
  ...((redis.tls || redis.ca || redis.cert) && {
    tls: {
      ...(redis.ca && { ca: redis.ca }),
      ...(redis.cert && { cert: redis.cert }),
      ...(redis.key && { key: redis.key }),
      rejectUnauthorized: redis.checkcert,
    },
  }),
});
