import type { Fields } from "../sdk/fields.ts";
import type { Output } from "../sdk/output.ts";
import type { AnySource } from "../sdk/source.ts";
import { fieldsOf, shorthand } from "./delivery-fields.ts";
import { type Environment, environment, envName, proxyOf } from "./environment.ts";
import { expand } from "./expand.ts";
import { readFalco } from "./falco.ts";
import { completed } from "./falco-includes.ts";
import { falcoBlocks, falcoFields, falcoLists } from "./falco-keys.ts";
import { falcoOutputs } from "./falco-outputs.ts";
import { falcoKeysOf } from "./falco-sources.ts";
import { falcosidekickKeys } from "./falcosidekick-keys.ts";
import { flatten, type KeySpace } from "./flatten.ts";
import { globalFields, mustFit } from "./globals.ts";
import { assemble, customValues, redisOf, withoutStrays } from "./hub.ts";
import { guardsOf, leavesOf, sharedKey } from "./instances.ts";
import { clashes, listenersOf } from "./listeners.ts";
import { metadataOf } from "./metadata.ts";
import { outputInstances } from "./output-instances.ts";
import { pemReader } from "./pem-reader.ts";
import { collectProblems, type Problems } from "./problem.ts";
import { proxyFor } from "./proxy.ts";
import { readText } from "./read-text.ts";
import { errorCode, type Reader, readFields } from "./settings.ts";
import { sourceInstances } from "./source-instances.ts";
import { serverTls } from "./transport.ts";
import { emptyMap, type MapTree, readYaml } from "./tree.ts";
import type { HubConfig, Loaded, Problem } from "./types.ts";
import { warnUnknown, warnUnknownEnv } from "./unknown.ts";

export interface LoadOptions {
  /** Path of the YAML file: exactly this one is read. Absent: environment and defaults. */
  readonly file?: string | undefined;
  readonly env?: Environment;
  /** `key=value` each, over everything else (`-o`). */
  readonly overrides?: readonly string[];
  readonly outputs: readonly Output[];
  readonly sources: readonly AnySource[];
  /** Reads a text file; throws when it cannot. */
  readonly read?: (path: string) => string;
}

/**
 * Defaults < YAML < environment < overrides. Never throws: every finding is in `problems`, and a configuration with an
 * error among them must not be run.
 */
export const loadConfig = (options: LoadOptions): Loaded => {
  const problems = collectProblems();
  const env = options.env ?? environment();
  const read = options.read ?? readText;
  const reader: Reader = { env, read, problems };
  const inFile = options.file === undefined ? emptyMap : readFile(options.file, reader);
  const tree = expand(completed(inFile, options.file, options.overrides ?? [], reader), env);
  const { outputs, sources } = options;

  const space = keySpace(outputs, sources);
  const { found, unknown } = flatten(tree, space, "", problems);
  const globals = withoutStrays(
    readFields(globalFields, { label: "", inFile: (key) => found.get(key), envOver: (key) => [envName(key)] }, reader),
  );
  for (const { key, message, at } of globals.faults)
    if (mustFit(key)) problems.error(key, message, at);
    else problems.off(undefined, key, `${message}; its default is used`, at);
  const falco = readFalco(found, sources, reader);
  const readPem = pemReader(reader);
  const own = outputInstances(outputs, found, globals, readPem, reader);
  const json = falco.json_output;
  const outs = [...own, ...falcoOutputs({ outputs, found, globals, own, json, reader })];
  const srcs = sourceInstances(sources, found, falco, reader);
  const built = new Set(outputs.map((o) => o.name));
  const doors = new Set([...space.guards, "tlsserver.deploy", "tlsserver.mutualtls"]);
  warnUnknown(unknown, [...space.leaves, ...space.roots], doors, built, problems);
  warnUnknownEnv(
    env,
    knownVariables(
      space,
      [...outs, ...srcs].map((i) => [i.id, i.fields]),
    ),
    new Set([...doors, ...srcs.flatMap(({ id, fields }) => under(id, guardsOf(fields)))].map(envName)),
    built,
    outs.flatMap(({ id, instance }) => (instance ? [id] : [])),
    problems,
  );

  const config = assemble({
    values: { ...globals.values, ...customValues(globals, reader) },
    ...(options.file !== undefined && { file: options.file }),
    secretFiles: globals.files,
    falco,
    redis: redisOf(globals, readPem, reader),
    metadata: metadataOf(globals, falco, readPem, reader),
    tlsserver: serverTls(globals, readPem, reader),
    proxy: proxyOf(env),
    outputs: outs.flatMap(({ instance }) => instance ?? []),
    sources: srcs.flatMap(({ instance }) => instance ?? []),
    knownSources: sources,
    off: problems.list().filter((problem) => problem.off),
  });
  warnOfProxies(config, problems);
  for (const { second, first } of clashes(listenersOf(config)))
    problems.error(second.key, `wants port ${second.port}, which ${first.key} has`, globals.places.get(second.key));
  if (config.role !== "all" && config.queue.driver !== "redis")
    problems.error("role", `${config.role} shares its queue with other processes: set queue.redis.url`);
  return { config, problems: inOrder(problems.list()) };
};

/** A proxy is most often there because nothing else leads out. */
const warnOfProxies = ({ outputs, proxy }: HubConfig, problems: Problems): void => {
  const https = proxy.https ?? proxy.http;
  if (https === undefined) return;
  for (const { id, output, config } of outputs)
    for (const address of output.direct?.(config) ?? []) {
      const url = URL.parse(`https://${address}`);
      if (!url || proxyFor(url, { ...proxy, https }) === undefined) continue;
      const way = "proxy" in output.fields ? `; set ${id}.proxy to reach it through one` : "";
      problems.warn(id, `connects straight to ${url.host}: the proxy of the environment is for HTTP alone${way}`);
    }
};

const noLine = Number.MAX_SAFE_INTEGER;

/** Those in the file first, from its top. */
const inOrder = (problems: readonly Problem[]): readonly Problem[] =>
  problems.toSorted((a, b) => (a.line ?? noLine) - (b.line ?? noLine) || (a.column ?? 0) - (b.column ?? 0));

const readFile = (file: string, reader: Reader): MapTree => {
  try {
    return readYaml(reader.read(file), file, reader.problems);
  } catch (error) {
    reader.problems.error("", `the configuration file cannot be read (${errorCode(error)})`, { file });
    return emptyMap;
  }
};

const under = (root: string, keys: readonly string[]): string[] => keys.map((key) => `${root}.${key}`);

const keySpace = (outputs: LoadOptions["outputs"], sources: LoadOptions["sources"]): KeySpace => {
  const leaves = new Set([...leavesOf(globalFields), ...falcoKeys, ...Object.keys(falcoKeysOf(sources))]);
  const short = new Map<string, string>();
  for (const [root, fields] of fieldsByRoot(outputs, sources)) {
    for (const leaf of under(root, leavesOf(fields))) leaves.add(leaf);
    for (const key of Object.keys(fields)) {
      const shared = sharedKey(root, key);
      if (shared) leaves.add(shared);
    }
    for (const [from, to] of Object.entries(shorthand)) if (to in fields) short.set(`${root}.${from}`, `${root}.${to}`);
  }
  return {
    leaves,
    roots: new Set([...outputs, ...sources].map((o) => o.name)),
    shorthand: short,
    guards: guardKeys(sources),
  };
};

const falcoKeys = [...Object.keys(falcoFields), ...Object.keys(falcoBlocks), ...falcoLists];

/** Keys that keep a door shut. */
const guardKeys = (sources: LoadOptions["sources"]): ReadonlySet<string> =>
  new Set([...guardsOf(globalFields), ...sources.flatMap((s) => under(s.name, guardsOf(s.fields)))]);

const fieldsByRoot = (
  outputs: LoadOptions["outputs"],
  sources: LoadOptions["sources"],
): (readonly [string, Fields])[] => [
  ...outputs.map((o) => [o.name, fieldsOf(o)] as const),
  ...sources.map((s) => [s.name, s.fields] as const),
];

/** Names of all variables that are read; those of instances in lists too. */
const knownVariables = (space: KeySpace, instances: readonly (readonly [string, Fields])[]): Set<string> => {
  const names = new Set([...space.leaves, ...falcosidekickParents].map(envName));
  for (const [id, fields] of instances) for (const key of leavesOf(fields)) names.add(envName(`${id}.${key}`));
  return names;
};

/** `aws.region` and the like, read by whichever output declares the key. */
const falcosidekickParents = [...falcosidekickKeys.keys()].filter((key) => /^(aws|gcp|yandex)\.[a-z]+$/.test(key));
