import { isDeepStrictEqual } from "node:util";
import { type Environment, envName, sharedNames } from "./environment.ts";
import { falcoUnread } from "./falco-keys.ts";
import { enablingKeys, falcosidekickBlocks, falcosidekickKeys, isOutputBlock } from "./falcosidekick-keys.ts";
import type { Flat } from "./flatten.ts";
import { nearest } from "./nearest.ts";
import type { Place, Problems } from "./problem.ts";
import { type Entry, plain } from "./tree.ts";

/** Blocks that only hold what their outputs share: the outputs themselves are named. */
const parents = new Set(["aws", "gcp", "yandex"]);

const standsIn = (block: string, path: string): boolean => path === block || path.startsWith(`${block}.`);

/** The falcosidekick block that a path belongs to, the longest one. */
const longestBlock = (path: string): string | undefined =>
  falcosidekickBlocks.filter((block) => standsIn(block, path)).sort((a, b) => b.length - a.length)[0];

/** Paths that falcosidekick has keys under. */
const inner = new Set(
  [...falcosidekickKeys.keys()].flatMap((key) => {
    const steps = key.split(".").slice(0, -1);
    return steps.map((_, i) => steps.slice(0, i + 1).join("."));
  }),
);
const isBlock = (key: string): boolean => inner.has(key.toLowerCase());

/** Levels of the charts' values, which stand above what a file holds. */
const chartLevels = new Set(["config", "falcosidekick", "falco"]);
/** Keys of falcosidekick's chart that it reads itself, and that its values show beside those it hands on. */
const chartKeys = new Set([
  ...["existingsecret", "extraenv", "extraargs", "aws.useirsa"],
  ...["existingsecret", "servercrt", "serverkey", "cacrt"].map((key) => `tlsserver.${key}`),
  ...["subscriptionid", "resourcegroupname", "podidentityclientid", "podidentityname", "workloadidentityclientid"].map(
    (key) => `azure.${key}`,
  ),
]);

/**
 * Warns of keys that nothing reads: the nearest known one, or that falcosidekick knows it and the hub does not yet. What
 * was meant for one of `guards` is an error: its door would stand open.
 */
export const warnUnknown = (
  unknown: Flat["unknown"],
  known: readonly string[],
  guards: ReadonlySet<string>,
  built: ReadonlySet<string>,
  problems: Problems,
): void => {
  const told = new Set<string>();
  const unread: [string, Entry][] = [];
  const visit = (written: string, entry: Entry): void => {
    // falcosidekick's example file has a block named `securitylake.`.
    const path = written.replaceAll(/\.+(?=\.|$)/g, "");
    if (falcoUnread.has(path)) return void unread.push([path, entry]);
    const block = longestBlock(path);
    const children = entry.tree.kind === "map" && !falcosidekickKeys.has(path) ? entry.tree.entries : [];
    if (children.length > 0 && inner.has(path)) {
      for (const inner of children) visit(`${path}.${inner.key.toLowerCase()}`, inner);
    } else if (falcosidekickKeys.has(path) || (block === path && entry.tree.kind === "list"))
      warnUnused(path, block, entry, built, told, problems);
    else if (!isNull(entry) && !isUnbuilt(block, built)) {
      if (isChartLevel(path, entry))
        return void problems.warn(path, "is a level of the chart's values: what stands under it is not read", entry.at);
      const near = nearest(path, [...known, ...falcosidekickBlocks]) ?? nearest(path, falcosidekickKeys.keys());
      if (guards.has(near ?? "") || /^(?:auth|operators)\./.test(path)) problems.error(path, meant(near), entry.at);
      else if (!isEmpty(entry) && !chartKeys.has(path) && !path.startsWith("x-"))
        problems.warn(path, meant(near), entry.at);
    }
  };
  for (const { path, entry } of unknown) visit(path, entry);
  nameUnread(unread, problems);
};

const meant = (near: string | undefined): string => (near ? `unknown key, did you mean ${near}?` : "unknown key");

const isChartLevel = (path: string, { tree }: Entry): boolean =>
  chartLevels.has(path) && tree.kind === "map" && (path !== "config" || tree.entries.some(({ key }) => isBlock(key)));

/** All keys of falco.yaml that ask for something which is not done here, in one warning. */
const nameUnread = (unread: readonly (readonly [string, Entry])[], problems: Problems): void => {
  const asking = unread.filter(([path, { tree }]) => {
    const quiet = [null, ...(falcoUnread.get(path)?.quiet ?? [])];
    return !quiet.some((value) => holds(plain(tree), value));
  });
  const [first] = asking;
  if (!first) return;
  const why = [...new Set(asking.map(([path]) => falcoUnread.get(path)?.why ?? ""))];
  const names = asking.map(([path]) => path).join(", ");
  problems.warn(names, `without effect here (${why.join("; ")}): see docs/compatibility.md`, first[1].at);
};

const isUnbuilt = (block: string | undefined, built: ReadonlySet<string>): boolean =>
  block !== undefined && isOutputBlock(block) && !built.has(block);

const holds = (given: unknown, wanted: unknown): boolean =>
  isMap(given) && isMap(wanted)
    ? Object.entries(wanted).every(([key, value]) => isDeepStrictEqual(given[key], value))
    : isDeepStrictEqual(given, wanted);

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isNull = ({ tree }: Entry): boolean => tree.kind === "leaf" && tree.value === null;

/** Without a value: nobody asked for anything. */
const isEmpty = ({ tree }: Entry): boolean => {
  if (tree.kind === "leaf") return tree.value === null || (tree.value === "" && tree.unset === undefined);
  return (tree.kind === "list" ? tree.items : tree.entries).length === 0;
};

/** A key of falcosidekick with no effect here; a value that is its default says nothing, nor does one of an output that is not enabled. */
const warnUnused = (
  path: string,
  block: string | undefined,
  entry: Entry,
  built: ReadonlySet<string>,
  told: Set<string>,
  problems: Problems,
): void => {
  const { tree } = entry;
  const value = tree.kind === "leaf" ? String(tree.value ?? "") : "set";
  if (block !== undefined && parents.has(block)) return;
  if (block !== undefined && !built.has(block)) {
    if (path === block || enables(path, value)) tellOnce(block, told, problems, entry.at);
  } else if (value !== "" && value !== falcosidekickKeys.get(path))
    problems.warn(path, "known key of falcosidekick, has no effect here", entry.at);
};

const enables = (key: string, value: string): boolean =>
  enablingKeys.has(key) && value.trim() !== "" && !/^(false|0|f|no|off)$/i.test(value);

const tellOnce = (block: string, told: Set<string>, problems: Problems, at: Place): void => {
  if (told.has(block)) return;
  told.add(block);
  problems.warn(block, "known key of falcosidekick, this output is not available yet", at);
};

/**
 * Warns of variables that enable an output which is not there yet, and of names one or two letters off; what was meant for a
 * guard is an error. Other programs' variables are none of the hub's concern: those of Kubernetes and of the AWS SDK, and
 * a name that is another spelling of a key (`SLACK_WEBHOOK_URL`) of an output that is enabled (`ids`) anyway.
 */
export const warnUnknownEnv = (
  env: Environment,
  known: ReadonlySet<string>,
  guards: ReadonlySet<string>,
  built: ReadonlySet<string>,
  ids: readonly string[],
  problems: Problems,
): void => {
  const theirs = new Map([...falcosidekickKeys.keys()].map((key) => [envName(key), key]));
  const told = new Set<string>();
  const byFirst = Map.groupBy(
    [...known].filter((name) => name.includes("_")),
    firstOf,
  );
  for (const [name, value] of Object.entries(env)) {
    if (!value || known.has(name) || known.has(name.replace(/_FILE$/, ""))) continue;
    const key = theirs.get(name);
    if (key !== undefined) {
      const block = longestBlock(key);
      if (block !== undefined && isUnbuilt(block, built) && enables(key, value))
        tellOnce(block, told, problems, { env: name });
      continue;
    }
    const guard = [...guards].find((one) => bare(one) === bare(name));
    if (guard !== undefined) {
      problems.error(name, `unknown variable, did you mean ${guard}?`, { env: name });
      continue;
    }
    const first = firstOf(name);
    const rests = (byFirst.get(first) ?? []).map((one) => one.slice(first.length));
    if (name.length < 8 || /_SERVICE_|_PORT/.test(name)) continue;
    const rest = nearest(name.slice(first.length), rests);
    if (rest === undefined) continue;
    const near = first + rest;
    // A longer name, or one like that of another program's, is nobody's slip of the finger.
    if (name.startsWith(`${near}_`) || sharedNames.has(near)) continue;
    // Three letters off may be another program's.
    if (guards.has(near) && nearest(name, [near], 2))
      problems.error(name, `unknown variable, did you mean ${near}?`, { env: name });
    else if (!isSpelling(name, near) || !(name.startsWith("AWS_") || ids.some((id) => near.startsWith(envName(id)))))
      problems.warn(name, `unknown variable, did you mean ${near}?`, { env: name });
  }
};

/** `SMTP_` of `SMTP_HOST`. */
const firstOf = (name: string): string => name.slice(0, name.indexOf("_") + 1);

/** The same for `AUTHTOKEN`, `auth_token` and `AUTH_TOKEN`, and for `OPERATOR_TOKEN` and `OPERATORS_TOKEN`. */
const bare = (name: string): string => name.toUpperCase().replaceAll(/_|S(?=_|$)/g, "");

const isSpelling = (name: string, near: string): boolean => name.replaceAll("_", "") === near.replaceAll("_", "");
