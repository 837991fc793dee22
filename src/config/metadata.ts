import { fieldOfCluster } from "../fields/k8smeta.ts";
import { choice, int, text } from "../sdk/fields.ts";
import { blockOf } from "./block.ts";
import type { GlobalSettings } from "./hub.ts";
import { kubernetesOf } from "./kubernetes-api.ts";
import type { ReadPem } from "./pem-reader.ts";
import { type Reader, readFields } from "./settings.ts";
import { type Tree, treeOf } from "./tree.ts";
import type { CollectorSettings, FalcoConfig, MetadataSettings, PluginConfig } from "./types.ts";

/** `init_config` of falco.yaml's plugin k8smeta (reference: k8smeta §3). */
const pluginFields = {
  collectorhostname: text("Host of the collector."),
  collectorport: int("Its port.", 45000, 1, 65535),
  nodename: text("Node whose pods are wanted."),
  capembundle: text("PEM file of the CA; empty: without TLS."),
  verbosity: choice(
    "Without effect: the hub's log has its own level.",
    ["trace", "debug", "info", "warning", "error", "critical"],
    "info",
  ),
  hostproc: text("Without effect."),
};

const usualPort = 45000;

/** Collectors that the hub's own keys and falco.yaml's plugin ask for, and the Kubernetes API. */
export const metadataOf = (
  globals: GlobalSettings,
  falco: FalcoConfig,
  readPem: ReadPem,
  reader: Reader,
): MetadataSettings => {
  const { nodes, annotations, maxobjects, maxbytes, grace, readywithin, wait } = blockOf(globals.values, "metadata");
  const own = ownCollectors(globals, readPem, reader);
  const asked = kubernetesOf(globals, readPem, reader);
  const [named, at] = [nodes.length > 0, globals.places.get("metadata.kubernetes")];
  checkEnrich(globals, reader);
  if (wait > longestWaitMs)
    reader.problems.error("metadata.wait", "is more than a minute", globals.places.get("metadata.wait"));
  const plugged = falco.loaded
    .filter(({ name }) => name === "k8smeta")
    .flatMap((plugin) => collectorOf(plugin, readPem, reader));
  const bounds = { annotations, maxobjects, maxbytes, grace, readywithin, wait };
  if (!asked) return { ...bounds, collectors: [...own, ...plugged] };
  if (own.length > 0 && named) {
    reader.problems.warn("metadata.kubernetes", "is not needed: metadata.nodes names the collectors' nodes", at);
    return { ...bounds, collectors: [...own, ...plugged] };
  }
  if (own.length > 0) return { ...bounds, collectors: [...own, ...plugged], kubernetes: asked };
  const instead = "takes the place of falco.yaml's k8smeta: its collector is not asked";
  if (plugged.length > 0) reader.problems.warn("metadata.kubernetes", instead, at);
  return { ...bounds, collectors: [], kubernetes: asked };
};

/** Events that wait longer are better sent as they are. */
const longestWaitMs = 60_000;

const ownCollectors = (globals: GlobalSettings, readPem: ReadPem, reader: Reader): readonly CollectorSettings[] => {
  const { collectors, nodes, cacertfile, kubernetes } = blockOf(globals.values, "metadata");
  const at = globals.places.get("metadata.collectors");
  const ca =
    cacertfile === ""
      ? undefined
      : readPem(cacertfile, "metadata.cacertfile", globals.places.get("metadata.cacertfile"));
  const own = collectors.map((address) => ({
    address: withPort(address),
    ...(nodes.length > 0 && { nodes }),
    ...(ca !== undefined && { ca }),
  }));
  for (const { address } of own)
    if (!/^(?:\[[^\]]+\]|[^:]+):\d+$/.test(address))
      reader.problems.error("metadata.collectors", `"${address}" is not host:port`, at);
  const missing =
    "is missing: a collector tells of the nodes that it is asked for, and of no others; metadata.kubernetes finds them";
  if (own.length > 0 && nodes.length === 0 && !kubernetes) reader.problems.error("metadata.nodes", missing, at);
  return own;
};

const bareHost = /^(?:\[[^\]]+\]|[^:]+)$/;
const withPort = (address: string): string => (bareHost.test(address) ? `${address}:${usualPort}` : address);

const checkEnrich = (globals: GlobalSettings, reader: Reader): void => {
  const { add, as } = blockOf(globals.values, "enrich");
  for (const name of add) {
    const field = fieldOfCluster(name);
    if (typeof field === "string")
      reader.problems.error("enrich.add", `${name}: ${field}`, globals.places.get("enrich.add"));
  }
  for (const name of Object.keys(as))
    if (!add.includes(name))
      reader.problems.warn("enrich.as", `${name} is not in enrich.add`, globals.places.get("enrich.as"));
};

const collectorOf = (plugin: PluginConfig, readPem: ReadPem, reader: Reader): readonly CollectorSettings[] => {
  const at = plugin.line === undefined ? {} : { line: plugin.line };
  const written = (key: string): string => `plugins.k8smeta.init_config${key === "" ? "" : `.${key}`}`;
  const given = mapOf(plugin.initConfig);
  if (!given) {
    reader.problems.error(written(""), plugin.initConfig ? "is no map and no JSON object" : "is missing", at);
    return [];
  }
  const byKey = new Map(Object.entries(given).map(([key, value]) => [key.toLowerCase(), treeOf(value, at)]));
  for (const key of byKey.keys())
    if (!Object.hasOwn(pluginFields, key)) reader.problems.warn(written(key), "is not known", at);
  const inFile = (key: string): Tree | undefined => byKey.get(key);
  const { values, faults } = readFields(pluginFields, { label: "", inFile, envOver: () => [] }, reader);
  for (const { key, message } of faults) reader.problems.error(written(key), message, at);
  for (const key of ["collectorhostname", "nodename"] as const)
    if (values[key] === "") reader.problems.error(written(key), "is missing", at);
  const ca = values.capembundle === "" ? undefined : readPem(values.capembundle, written("capembundle"), at);
  const address = `${values.collectorhostname}:${values.collectorport}`;
  return [{ address, nodes: [values.nodename], ...(ca !== undefined && { ca }) }];
};

/** Text holds JSON. */
const mapOf = (config: unknown): Readonly<Record<string, unknown>> | undefined => {
  if (typeof config === "object" && config !== null && !Array.isArray(config)) return { ...config };
  if (typeof config !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(config);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
};
