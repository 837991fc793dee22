import { configOf } from "../sdk/fields.ts";
import { listenersOf, type PlannedListener } from "./listeners.ts";
import { formatProblem } from "./problem.ts";
import { redactValues } from "./redact.ts";
import type { HubConfig, MatchSettings, OutputInstance, Problem } from "./types.ts";

/** Rules as they would run. */
export interface RulesFacts {
  readonly files: readonly string[];
  readonly defined: number;
  /** Source → how many of its rules take part. */
  readonly active: ReadonlyMap<string, number>;
}

/** What was understood, for people: one block of text, no secret in it. */
export const describeConfig = (config: HubConfig, problems: readonly Problem[], rules?: RulesFacts): string => {
  const errors = problems.filter((p) => p.severity === "error");
  const warnings = problems.filter((p) => p.severity === "warning");
  const lines = [
    `file      ${config.file ?? "none: environment and defaults"}`,
    `role      ${config.role}`,
    ...listenersOf(config).map(describeListener),
    ...named("tls", serverFiles(config)),
    ...named("tokens", tokenNames(config)),
    `queue     ${config.queue.driver}, durability ${config.queue.durability}${config.queue.driver === "sqlite" ? `, in ${config.datadir}` : ""}`,
    ...named("fields", Object.keys({ ...config.customfields, ...config.templatedfields })),
    ...named("tags", config.customtags),
    ...named(
      "plugins",
      config.falco.loaded.map((p) => p.name),
    ),
    ...(rules ? describeRules(rules) : named("rules", config.falco.rules_files)),
    ...config.sources.map(({ id }) => `source    ${id}`),
    ...(config.outputs.length === 0
      ? ["outputs   none: alerts are written to standard output"]
      : config.outputs.flatMap(describeOutput)),
    ...offOf(config).map((id) => `output    ${id}: OFF`),
    ...(problems.length > 0 ? [""] : []),
    ...errors.map((p) => `error    ${formatProblem(p)}`),
    ...warnings.map((p) => `warning  ${formatProblem(p)}`),
    ...problems.filter((p) => p.severity === "info").map((p) => `info     ${formatProblem(p)}`),
    "",
    `${count(config.outputs.length, "output")}${offOf(config).length > 0 ? ` (and ${offOf(config).length} off)` : ""}, ${count(errors.length, "error")}, ${count(warnings.length, "warning")}`,
  ];
  return `${lines.join("\n")}\n`;
};

const offOf = (config: HubConfig): string[] => [...new Set(config.off.flatMap(({ off }) => off?.output ?? []))];

const describeListener = ({ host, port, takes, traits }: PlannedListener): string => {
  const where = `${host === "" ? "every address" : host}, port ${port === 0 ? "any" : port}`;
  return `listens   ${[where, ...traits].join(", ")}: ${takes}`;
};

const serverFiles = ({ tlsserver }: HubConfig): readonly string[] => {
  const { deploy, mutualtls, certfile, keyfile, cacertfile } = tlsserver;
  return deploy ? [certfile, keyfile, ...(mutualtls ? [`clients of ${cacertfile}`] : [])] : [];
};

/** Who may send, never with what. */
const tokenNames = ({ auth }: HubConfig): readonly string[] => [
  ...(auth.token === "" ? [] : ["auth.token ***"]),
  ...Object.entries(auth.tokens).flatMap(([name, token]) => (token === "" ? [] : [`${name} ***`])),
];

const describeRules = ({ files, defined, active }: RulesFacts): string[] => {
  if (files.length === 0) return [];
  const taking = [...active.values()].reduce((sum, n) => sum + n, 0);
  const bySource = [...active].map(([source, n]) => `${n} of ${source}`);
  return [
    ...files.map((file) => `rules     ${file}`),
    `          ${[`${count(taking, "rule")} of ${defined} take part`, ...bySource].join(", ")}`,
  ];
};

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

const named = (what: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`${what.padEnd(10)}${names.join(", ")}`];

const describeOutput = ({ id, output, config, match, delivery, transport }: OutputInstance): string[] => {
  const byDefault = configOf(output.fields, (_, schema) => JSON.stringify(schema.safeParse(undefined).data));
  const shown = Object.entries(redactValues(output.fields, config))
    .filter(([key]) => JSON.stringify(config[key]) !== byDefault[key])
    .map(([key, value]) => `            ${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
  const { ratelimit, maxconcurrentrequests: max } = delivery;
  const traits = [
    ...matchText(match),
    max === Number.POSITIVE_INFINITY ? "any number in flight" : `${max} in flight`,
    ...(ratelimit ? [`${Number(ratelimit.perSecond.toPrecision(3))} a second`] : []),
    ...(transport.mutualtls || transport.cert ? ["client certificate"] : []),
    ...(transport.rejectUnauthorized ? [] : ["certificate not verified"]),
  ];
  return [`output    ${id}: ${traits.join("; ")}`, ...shown];
};

const matchText = (match: MatchSettings): string[] => [
  ...(match.minimumpriority ? [`${match.minimumpriority} and above`] : []),
  ...(match.tags ? [`tags ${match.tags.join(" or ")}`] : []),
  ...(match.rules ? [`rules ${match.rules.join(" or ")}`] : []),
  ...(match.condition ? [`when ${match.condition}`] : []),
];
