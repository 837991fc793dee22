import type { Fields } from "../sdk/fields.ts";
import { formatProblem } from "./problem.ts";
import { redactValues } from "./redact.ts";
import type { HubConfig, MatchSettings, OutputInstance, Problem } from "./types.ts";

/** What was understood, for people: one block of text, no secret in it. */
export const describeConfig = (config: HubConfig, problems: readonly Problem[]): string => {
  const errors = problems.filter((p) => p.severity === "error");
  const warnings = problems.filter((p) => p.severity === "warning");
  const address = `${config.listenaddress || "every address"}, port ${config.listenport}`;
  const lines = [
    `file      ${config.file ?? "none: environment and defaults"}`,
    `role      ${config.role}`,
    `listens   ${address}${config.tlsserver.deploy ? ", HTTPS" : ""}${config.auth.token !== "" || Object.keys(config.auth.tokens).length > 0 ? ", bearer token" : ""}`,
    `queue     ${config.queue.driver}, durability ${config.queue.durability}${config.queue.driver === "sqlite" ? `, in ${config.datadir}` : ""}`,
    ...named("fields", Object.keys({ ...config.customfields, ...config.templatedfields })),
    ...named("tags", config.customtags),
    ...named(
      "plugins",
      config.falco.loaded.map((p) => p.name),
    ),
    ...named("rules", config.falco.rulesFiles),
    ...config.sources.map(({ id }) => `source    ${id}`),
    ...(config.outputs.length === 0 ? ["outputs   none"] : config.outputs.flatMap(describeOutput)),
    ...offOf(config).map((id) => `output    ${id}: OFF`),
    ...(problems.length > 0 ? [""] : []),
    ...errors.map((p) => `error    ${formatProblem(p)}`),
    ...warnings.map((p) => `warning  ${formatProblem(p)}`),
    "",
    `${count(config.outputs.length, "output")}${offOf(config).length > 0 ? ` (and ${offOf(config).length} off)` : ""}, ${count(errors.length, "error")}, ${count(warnings.length, "warning")}`,
  ];
  return `${lines.join("\n")}\n`;
};

const offOf = (config: HubConfig): string[] => [...new Set(config.off.flatMap(({ off }) => off?.output ?? []))];

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

const named = (what: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`${what.padEnd(10)}${names.join(", ")}`];

const describeOutput = ({ id, output, config, match, delivery, transport }: OutputInstance): string[] => {
  const standards = Object.fromEntries(
    Object.entries(output.fields as Fields).map(([key, schema]) => [
      key,
      JSON.stringify(schema.safeParse(undefined).data),
    ]),
  );
  const shown = Object.entries(redactValues(output.fields as Fields, config))
    .filter(([key]) => JSON.stringify(config[key]) !== standards[key])
    .map(([key, value]) => `            ${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
  const { ratelimit, maxconcurrentrequests: max } = delivery;
  const traits = [
    ...matchText(match),
    max === Number.POSITIVE_INFINITY ? "any number in flight" : `${max} in flight`,
    ...(ratelimit ? [`${Number(ratelimit.perSecond.toPrecision(3))} a second`] : []),
    ...(transport.mutualtls ? ["client certificate"] : []),
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
