import { loadFalco } from "../config/falco-file.ts";
import { formatProblem } from "../config/problem.ts";
import type { FalcoConfig, Problem } from "../config/types.ts";
import { jsonMarkdownOrTable } from "../fields/describe.ts";
import { type EventRules, loadEventRules } from "../pipeline/judge/event-rules.ts";
import { type EventKind, fieldsOfKinds, kindsOf, usualKind } from "../pipeline/judge/kinds.ts";
import { hostnameOf } from "../pipeline/judge/load-rules.ts";
import { type RuleFiles, readRuleFiles } from "../pipeline/judge/rule-files.ts";
import type { FileInput, FileReport, RuleConfig, RuleSet, Selection } from "../rules/index.ts";
import { blockOf, jsonReport, textDescription, textReport } from "../rules/index.ts";
import type { KubeLookup } from "../sdk/kubernetes.ts";
import type { AnySource } from "../sdk/source.ts";
import type { Command, CommandIo } from "./command.ts";
import { readMetadata } from "./metadata-file.ts";
import { parseRunArgs, type RunArgs, runHelp } from "./run-args.ts";
import { createJudge, judgeFiles } from "./run-events.ts";
import { judgeFollowed } from "./run-follow.ts";
import { sortedJson } from "./sorted-json.ts";
import { valuesOf } from "./source-values.ts";
import { version } from "./version.ts";

/** Ends the command with Falco's `Error: …` and exit code 1. */
class Refusal extends Error {
  override readonly name = "Refusal";
}

const refuse = (message: string): never => {
  throw new Refusal(message);
};

/**
 * `eyrie run [-c falco.yaml] [-r rules.yaml]… [events.jsonl | -]`: what Falco does with a file of events, with its
 * output, exit codes and error codes. See `runHelp`.
 */
export const run: Command = async (argv, io) => {
  const args = parseRunArgs(argv);
  try {
    return "fault" in args ? refuse(args.fault) : await runWith(args, io);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    io.stderr.write(`Error: ${error.message}\n`);
    return 1;
  }
};

const runWith = async (args: RunArgs, io: CommandIo): Promise<number> => {
  if (args.help) {
    io.stdout.write(runHelp);
    return 0;
  }
  if (args.version) {
    io.stdout.write(`eyrie ${version}\n`);
    return 0;
  }
  if (args.list) {
    io.stdout.write(jsonMarkdownOrTable(fieldsOfKinds(kindsOf(io.sources)), args.markdown ? "markdown" : "table"));
    return 0;
  }
  const falco = falcoOf(args, io);
  const config = configOf(args, falco, io);
  const sources = loadedSources(falco, io.sources);
  const kinds = kindsOf(sources);
  const options = { config, hostname: hostnameOf(falco), kinds, known: kindsOf(io.sources) };
  if (args.validate.length > 0) {
    const files = filesOf(args.validate);
    io.stderr.write(`Validating rules file(s):\n${files.map(({ name }) => `   ${name}\n`).join("")}`);
    return validate(loadEventRules(files, options), io);
  }
  const named = args.enabledSources.map((source) => kindNamed(source, kinds));
  const events = eventsOf(args, falco, sources);
  const kind = named[0] ?? kinds.find(({ catalog }) => catalog.source === events.source) ?? usualKind(kinds);
  const usualRules = (kind ?? usualKind(kindsOf(io.sources)))?.catalog.rules;
  const rules = loadEventRules(rulesOf(args, falco, usualRules, io), options);
  announce(rules, io);
  if (args.describeAll || args.describe !== undefined) {
    const described = rules.set.describe(args.describe) ?? refuse(`Rule "${args.describe}" is not loaded`);
    io.stdout.write(config.json_output ? `${sortedJson(described)}\n` : textDescription(described));
    return 0;
  }
  if (args.dryRun) return 0;
  if (!kind) return refuse("no plugin that falco.yaml loads reads audit events");
  if (events.files.length === 0) refuse("no events: name a file of JSON lines, or - for standard input");
  const lookup = args.metadata === undefined ? undefined : await metadataOf(args.metadata, io);
  const judge = createJudge(rules, args.seconds, lookup);
  if (!args.follow) return judgeFiles(events.files, kind.catalog, judge, io);
  const [file = "-", second] = events.files;
  if (file === "-" || second !== undefined) refuse("--follow takes one file");
  const { source } = kind.catalog;
  const following = sources.find(({ catalog, following }) => catalog?.source === source && following);
  if (!following) return refuse(`no file of ${source} can be followed`);
  return judgeFollowed(file, following, judge, io);
};

const metadataOf = (file: string, io: CommandIo): Promise<KubeLookup> =>
  readMetadata(file, io).catch(() => refuse(`Could not open file ${file} for reading`));

const falcoOf = (args: RunArgs, io: CommandIo): FalcoConfig => {
  try {
    const { config, problems, outputs } = loadFalco({ ...io, file: args.config, overrides: args.overrides });
    const errors = problems.filter((problem) => problem.severity === "error");
    if (errors.length > 0) refuse(errors.map(faultText).join("\nError: "));
    if (outputs.length > 0 && args.validate.length === 0)
      io.stderr.write(`${outputs.join(", ")}: not used by run, which prints alerts; the hub sends them\n`);
    return config;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    return refuse(`Could not find configuration file at ${args.config}`);
  }
};

/** Falco names no place for the two values that it checks itself. */
const faultText = (problem: Problem): string =>
  ["priority", "rule_matching"].includes(problem.key) ? problem.message : formatProblem(problem);

/** `-p` words for what Falco would add about containers: nothing, for events without them. */
const emptyFormats = new Set([
  "c",
  "container",
  "k",
  "kubernetes",
  "cg",
  "container-gvisor",
  "kg",
  "kubernetes-gvisor",
]);

const configOf = (args: RunArgs, falco: FalcoConfig, io: CommandIo): RuleConfig => {
  if (args.print.length > 0)
    io.stderr.write("The -p/--print option is deprecated and will be removed. Use -o append_output=... instead.\n");
  const printed = args.print.slice(-1).filter((format) => !emptyFormats.has(format));
  return {
    ...falco,
    rules: [...falco.rules, ...args.selections],
    append_output: [...falco.append_output, ...printed.map((extra_output) => ({ extra_output }))],
  };
};

/** The sources that falco.yaml lets in: all, unless it speaks of plugins. */
const loadedSources = ({ plugins, loaded }: FalcoConfig, sources: readonly AnySource[]): readonly AnySource[] =>
  plugins.length + loaded.length === 0
    ? sources
    : sources.filter(({ plugin }) =>
        loaded.some(({ name }) => name === plugin?.name || Object.hasOwn(plugin?.alike ?? {}, name)),
      );

const kindNamed = (source: string, kinds: readonly EventKind[]): EventKind =>
  kinds.find(({ catalog }) => catalog.source === source) ??
  refuse(`Attempted enabling an unknown event source: ${source}`);

const unreadable = (missing: readonly string[]): never => refuse(`Could not open file ${missing[0]} for reading`);

const filesOf = (paths: readonly string[]): readonly FileInput[] => {
  const { files, missing } = readRuleFiles(paths);
  return missing.length > 0 ? unreadable(missing) : files;
};

/** Files of the command line must be there; of those in falco.yaml, the ones that are. */
const rulesOf = (args: RunArgs, falco: FalcoConfig, usual: string | undefined, io: CommandIo): readonly FileInput[] => {
  if (args.rules.length > 0) return filesOf(args.rules);
  if (falco.rules_files.length === 0 && usual !== undefined) return filesOf([usual]);
  const { files, missing }: RuleFiles = readRuleFiles(falco.rules_files);
  for (const path of missing) io.stderr.write(`rules file ${path} is not there and is left out\n`);
  if (files.length === 0)
    refuse("You must specify at least one rules file/directory via -r or a rules_file entry in falco.yaml");
  return files;
};

/** Says which files were loaded and what they warn of; ends at the first file with an error. */
const announce = ({ set }: EventRules, io: CommandIo): void => {
  const firstBad = set.reports.findIndex((report) => !report.ok);
  const reached = firstBad < 0 ? set.reports : set.reports.slice(0, firstBad + 1);
  io.stderr.write("Loading rules from:\n");
  for (const report of reached) {
    io.stderr.write(`   ${report.name} | ${schemaText(report)}\n`);
    if (report.ok) warn(report, io);
  }
  if (set.unmet !== undefined) refuse(set.unmet);
  const bad = set.reports[firstBad];
  if (bad !== undefined) refuse(textReport([bad], { verbose: true, asFalco: true }) + furtherErrors(set));
  for (const [source, names] of set.unfed)
    io.stderr.write(`Nothing here feeds source ${source}: the rules for it (${names.length}) load and never match\n`);
  for (const selection of set.config.rules) io.stderr.write(selectionText(selection));
};

const selectionText = ({ enable, rule, part, tag }: Selection): string => {
  const verb = enable ? "Enabling" : "Disabling";
  return [
    ...(rule === undefined ? [] : [`${verb} rules with name: ${rule}\n`]),
    ...(part === undefined ? [] : [`${verb} rules matching substring: ${part}\n`]),
    ...(tag === undefined ? [] : [`${verb} rules with tag: ${tag}\n`]),
  ].join("");
};

/** The errors that Falco would report only when those before them are mended. */
const furtherErrors = ({ problems }: RuleSet): string => {
  const later = problems.filter((each) => each.severity === "error" && each.later);
  return later.length === 0 ? "" : `${later.length} further errors:\n${later.map(blockOf).join("")}`;
};

const schemaText = ({ schemaValid, schemaWarnings }: FileReport): string =>
  `schema validation: ${schemaValid === undefined ? "none" : schemaValid ? "ok" : schemaWarnings[0]}`;

const hasWarnings = (report: FileReport): boolean => report.problems.some((each) => each.severity === "warning");

const warn = (report: FileReport, io: CommandIo): void => {
  if (hasWarnings(report)) io.stderr.write(`${textReport([report], { verbose: true })}`);
};

/** The report is Falco's; standard error also names the errors behind the first of a file. */
const validate = ({ set }: EventRules, io: CommandIo): number => {
  if (set.unmet !== undefined) refuse(set.unmet);
  for (const report of set.reports) if (report.ok) warn(report, io);
  io.stdout.write(
    set.config.json_output
      ? `${JSON.stringify(jsonReport(set.reports, { asFalco: true }))}\n`
      : `${textReport(set.reports, { asFalco: true })}`,
  );
  if (set.ok) return 0;
  return refuse(textReport(set.reports, { verbose: true, asFalco: true }) + furtherErrors(set));
};

/** The files that are to be judged, and the source that rules know them by where falco.yaml says it. */
const eventsOf = (
  args: RunArgs,
  { loaded }: FalcoConfig,
  sources: readonly AnySource[],
): { readonly files: readonly string[]; readonly source?: string } => {
  if (args.files.length > 0) return { files: args.files };
  for (const plugin of loaded)
    for (const source of sources) {
      const wanted = source.fromPlugin?.(plugin);
      const files = wanted && source.catalog ? (source.reads?.(valuesOf(source.fields, wanted)) ?? []) : [];
      if (source.catalog && files.length > 0) return { files, source: source.catalog.source };
    }
  return { files: [] };
};
