import type { Config } from "../sdk/fields.ts";
import type { TlsMaterial } from "../sdk/output.ts";
import { compileTemplate } from "../sdk/template/template.ts";
import type { globalFields } from "./globals.ts";
import { placeOf } from "./problem.ts";
import type { Reader, Settings } from "./settings.ts";
import type { pemReader } from "./transport.ts";
import type { HubConfig, RedisSettings } from "./types.ts";

type Globals = Config<typeof globalFields>;

export interface Parts
  extends Pick<
    HubConfig,
    "falco" | "tlsserver" | "proxy" | "outputs" | "sources" | "knownSources" | "off" | "secretFiles"
  > {
  readonly values: Readonly<Record<string, unknown>>;
  readonly file?: string;
  readonly redis: RedisSettings;
  readonly ca: string | undefined;
}

/** Sets the parsed parts in their places. */
export const assemble = (parts: Parts): HubConfig => {
  const v = parts.values as unknown as Globals;
  const tls: TlsMaterial = { rejectUnauthorized: true, ...(parts.ca && { ca: parts.ca }) };
  const { redis } = parts;
  const wantsRedis = redis.url !== "" || redis.cluster.length > 0 || redis.sentinels.length > 0;
  return {
    ...(parts.file !== undefined && { file: parts.file }),
    role: v.role as HubConfig["role"],
    listenaddress: v.listenaddress.replace(/^\[(.*)\]$/, "$1"),
    listenport: v.listenport,
    debug: v.debug,
    log: {
      format: v["log.format"] as HubConfig["log"]["format"],
      level: v.debug && v["log.level"] === "info" ? "debug" : (v["log.level"] as HubConfig["log"]["level"]),
    },
    datadir: v.datadir,
    queue: {
      driver: wantsRedis ? "redis" : (v["queue.driver"] as "sqlite" | "redis"),
      durability: v["queue.durability"] as "normal" | "full",
      maxbytes: v["queue.maxbytes"],
      memory: v["queue.memory"],
      redis,
    },
    auth: { token: v["auth.token"], tokens: v["auth.tokens"] },
    operators: { token: v["operators.token"] },
    secretFiles: parts.secretFiles,
    limits: {
      maxbodybytes: v["limits.maxbodybytes"],
      maxinflightbytes: v["limits.maxinflightbytes"],
      maxrequests: v["limits.maxrequests"],
      requesttimeoutMs: v["limits.requesttimeout"],
      bodytimeoutMs: v["limits.bodytimeout"],
      maxconnections: v["limits.maxconnections"],
      maxcompressionratio: v["limits.maxcompressionratio"],
      maxalertbytes: v["limits.maxalertbytes"],
      maxfields: v["limits.maxfields"],
      maxfieldname: v["limits.maxfieldname"],
      maxname: v["limits.maxname"],
      maxtags: v["limits.maxtags"],
      maxtaglength: v["limits.maxtaglength"],
      maxrefused: v["limits.maxrefused"],
    },
    metrics: {
      token: v["prometheus.token"],
      maxseries: v["prometheus.maxseries"],
      maxbytes: v["prometheus.maxbytes"],
      maxlabel: v["prometheus.maxlabel"],
    },
    shutdowntimeoutMs: v.shutdowntimeout,
    customfields: v.customfields,
    customtags: v.customtags,
    templatedfields: v.templatedfields,
    bracketreplacer: v.bracketreplacer,
    outputfieldformat: v.outputfieldformat,
    prometheusextralabels: v["prometheus.extralabels"],
    tlsserver: parts.tlsserver,
    tls,
    proxy: parts.proxy,
    falco: parts.falco,
    outputs: parts.outputs,
    sources: parts.sources,
    knownSources: parts.knownSources,
    off: parts.off,
  };
};

/** What falcosidekick reads differently from the environment: `%NAME` in customfields, blanks within customtags. */
export const customValues = (globals: Settings, reader: Reader): Record<string, unknown> => {
  const fields = Object.entries(globals.values.customfields as Readonly<Record<string, string>>);
  const at = globals.places.get("customfields");
  const tags = globals.values.customtags as readonly string[];
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
  for (const [key, template] of Object.entries(globals.values.templatedfields as Readonly<Record<string, string>>)) {
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
    customfields: Object.fromEntries(fields.flatMap(resolve)),
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
export const withoutStrays = (globals: Settings): Settings => {
  const { values, places } = globals;
  const given = (key: string): boolean => places.has(key);
  if (["url", "cluster", "sentinels"].some((key) => given(`queue.redis.${key}`))) return globals;
  const stray = (key: string): boolean => places.get(key)?.env !== undefined;
  const strays = {
    ...(stray("queue.driver") && { "queue.driver": "sqlite" }),
    ...(stray("role") && !(given("queue.driver") && !stray("queue.driver")) && { role: "all" }),
  };
  return { ...globals, values: { ...values, ...strays } };
};

export const redisOf = (globals: Settings, readPem: ReturnType<typeof pemReader>, reader: Reader): RedisSettings => {
  const value = (key: string): unknown => globals.values[`queue.redis.${key}`];
  const text = (key: string): string => String(value(key) ?? "");
  const pem = (key: string): string | undefined =>
    text(key) === "" ? undefined : readPem(text(key), `queue.redis.${key}`, globals.places.get(`queue.redis.${key}`));
  const ca = pem("cacertfile");
  const cert = pem("certfile");
  const key = pem("keyfile");
  const cluster = value("cluster") as readonly string[];
  const sentinels = value("sentinels") as readonly string[];
  const nowhere = text("url") === "" && cluster.length === 0 && sentinels.length === 0;
  if (globals.values["queue.driver"] === "redis" && nowhere)
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
          `"${node}" is not host:port`,
          globals.places.get(`queue.redis.${key}`),
        );
  return {
    url: text("url"),
    prefix: text("prefix"),
    username: text("username"),
    password: text("password"),
    cluster,
    sentinels,
    sentinelname: text("sentinelname"),
    sentinelusername: text("sentinelusername"),
    sentinelpassword: text("sentinelpassword"),
    tls: value("tls") === true || text("url").startsWith("rediss:"),
    checkcert: value("checkcert") === true,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
  };
};
