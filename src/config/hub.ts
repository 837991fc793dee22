import { compileTemplate } from "../sdk/template/template.ts";
import { blockOf } from "./block.ts";
import type { Globals, globalFields } from "./globals.ts";
import type { ReadPem } from "./pem-reader.ts";
import { placeOf } from "./problem.ts";
import type { Reader, Settings } from "./settings.ts";
import type { HubConfig, RedisSettings } from "./types.ts";

/** The hub's own keys as they were read, with their places and faults. */
export type GlobalSettings = Settings<typeof globalFields>;

export interface Parts
  extends Pick<
    HubConfig,
    | "values"
    | "file"
    | "falco"
    | "metadata"
    | "tlsserver"
    | "proxy"
    | "outputs"
    | "sources"
    | "knownSources"
    | "off"
    | "secretFiles"
  > {
  readonly redis: RedisSettings;
}

/** Sets the parsed parts in their places. */
export const assemble = ({ values, redis, ...parts }: Parts): HubConfig => {
  const wantsRedis = redis.url !== "" || redis.cluster.length > 0 || redis.sentinels.length > 0;
  const [plain, log, queue] = [blockOf(values, ""), blockOf(values, "log"), blockOf(values, "queue")];
  return {
    ...parts,
    ...plain,
    values,
    listenaddress: plain.listenaddress.replace(/^\[(.*)\]$/, "$1"),
    log: { ...log, level: plain.debug && log.level === "info" ? "debug" : log.level },
    queue: { ...queue, driver: wantsRedis ? "redis" : queue.driver, redis },
    auth: blockOf(values, "auth"),
    operators: blockOf(values, "operators"),
    limits: blockOf(values, "limits"),
    metrics: blockOf(values, "prometheus"),
    enrich: blockOf(values, "enrich"),
  };
};

/** What falcosidekick reads differently from the environment: `%NAME` in customfields, blanks within customtags. */
export const customValues = (globals: GlobalSettings, reader: Reader): Pick<Globals, "customfields" | "customtags"> => {
  const { customfields, customtags: tags, templatedfields } = globals.values;
  const at = globals.places.get("customfields");
  const tagsFromEnv = globals.places.get("customtags")?.env !== undefined;
  const resolve = ([key, value]: [string, string]): [string, string][] => {
    if (at?.env === undefined || !value.startsWith("%")) return [[key, value]];
    const other = reader.env[value.slice(1)];
    if (other) return [[key, other]];
    reader.problems.off(
      undefined,
      "customfields",
      `"${key}" is left out: the variable ${value.slice(1)} is not set`,
      at,
    );
    return [];
  };
  for (const [key, template] of Object.entries(templatedfields)) {
    const fault = templateFault(template);
    if (fault)
      reader.problems.off(
        undefined,
        "templatedfields",
        `"${key}" is left out: ${fault}`,
        globals.places.get("templatedfields"),
      );
  }
  return {
    customfields: Object.fromEntries(Object.entries(customfields).flatMap(resolve)),
    customtags: tagsFromEnv ? tags.map((tag) => tag.replaceAll(/\s/g, "")) : tags,
  };
};

const templateFault = (text: string): string | undefined => {
  try {
    compileTemplate(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : "the template is faulty";
  }
};

/** `ROLE` and `QUEUE_DRIVER` of the environment may be meant for other programs (Laravel): where nothing else speaks of a Redis, they are. */
export const withoutStrays = (globals: GlobalSettings): GlobalSettings => {
  const { values, places } = globals;
  const given = (key: string): boolean => places.has(key);
  if (["url", "cluster", "sentinels"].some((key) => given(`queue.redis.${key}`))) return globals;
  const stray = (key: string): boolean => places.get(key)?.env !== undefined;
  const strays: Partial<Globals> = {
    ...(stray("queue.driver") && { "queue.driver": "sqlite" }),
    ...(stray("role") && !(given("queue.driver") && !stray("queue.driver")) && { role: "all" }),
  };
  return { ...globals, values: { ...values, ...strays } };
};

export const redisOf = (globals: GlobalSettings, readPem: ReadPem, reader: Reader): RedisSettings => {
  const redis = blockOf(globals.values, "queue.redis");
  const { url, cluster, sentinels } = redis;
  const pem = (key: "cacertfile" | "certfile" | "keyfile"): string | undefined =>
    redis[key] === "" ? undefined : readPem(redis[key], `queue.redis.${key}`, globals.places.get(`queue.redis.${key}`));
  const ca = pem("cacertfile");
  const cert = pem("certfile");
  const key = pem("keyfile");
  if (globals.values["queue.driver"] === "redis" && url === "" && cluster.length === 0 && sentinels.length === 0)
    reader.problems.error(
      "queue.redis.url",
      "is missing: the redis driver needs it",
      placeOf("queue.redis.url", undefined, globals.places.get("queue.driver")),
    );
  for (const [key, nodes] of Object.entries({ cluster, sentinels }))
    for (const node of nodes)
      if (!/^.+:\d+$/.test(node))
        reader.problems.error(
          `queue.redis.${key}`,
          `${node.includes("@") ? "a node" : `"${node}"`} is not host:port`,
          globals.places.get(`queue.redis.${key}`),
        );
  return {
    ...redis,
    tls: redis.tls || url.startsWith("rediss:"),
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  };
};
