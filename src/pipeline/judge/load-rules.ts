import { existsSync } from "node:fs";
import { hostname } from "node:os";
import type { FalcoConfig, HubConfig, Problem } from "../../config/types.ts";
import type { RuleProblem, RuleSet } from "../../rules/index.ts";
import { type EventRules, loadEventRules } from "./event-rules.ts";
import { kindsOf } from "./kinds.ts";
import { readRuleFiles } from "./rule-files.ts";

/** The rules of a configuration and everything that is wrong with them. */
export interface LoadedRules {
  /** Absent: no file could be read. */
  readonly rules?: EventRules;
  /** Names of the files that were read. */
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
}

/** Where rules are looked for; empty: this configuration has no use for any. */
export const rulePaths = ({ falco, sources }: HubConfig): readonly string[] => {
  if (falco.rules_files.length > 0) return falco.rules_files;
  return [...new Set(sources.flatMap(({ source }) => source.catalog?.rules ?? []))].filter((path) => existsSync(path));
};

/** Whether events may come that wait for rules: a worker has those of other processes. */
export const judges = ({ sources, role }: HubConfig): boolean =>
  role === "worker" || sources.some(({ source }) => source.catalog !== undefined);

/** What alerts of the hub's own rules say of where they come from: FALCO_HOSTNAME, else the host's name. */
export const hostnameOf = (falco: FalcoConfig): string => falco.hostname || hostname();

/** Reads and compiles the rules of a configuration. Never throws for what is in the files. */
export const loadHubRules = (config: HubConfig): LoadedRules => {
  const paths = rulePaths(config);
  if (paths.length === 0) return { files: [], problems: [] };
  const { files, missing } = readRuleFiles(paths);
  const absent = missing.map(
    (path): Problem => ({
      severity: files.length === 0 && judges(config) ? "error" : "warning",
      key: "rules_files",
      message: `${path} cannot be read`,
    }),
  );
  if (files.length === 0) return { files: [], problems: absent };
  const rules = loadEventRules(files, {
    config: config.falco,
    hostname: hostnameOf(config.falco),
    kinds: kindsOf(
      config.knownSources,
      config.sources.map(({ source }) => source),
    ),
  });
  const { unmet } = rules.set;
  const unmetProblem: readonly Problem[] =
    unmet === undefined ? [] : [{ severity: "error", key: "required_plugin_versions", message: unmet }];
  return {
    rules,
    files: files.map((file) => file.name),
    problems: [
      ...absent,
      ...unmetProblem,
      ...unfedProblems(rules.set),
      ...unusedProblems(rules.set),
      ...otherProblems(rules.set).map(placed),
    ],
  };
};

/** One for each source whose rules are of no use here. */
const unfedProblems = ({ unfed }: RuleSet): readonly Problem[] =>
  Array.from(unfed, ([source, names]) => ({
    severity: "warning",
    key: "rules_files",
    message: `nothing here feeds source ${source}: the rules for it (${names.length}) load and never match`,
  }));

const isUnused = ({ code }: RuleProblem): boolean => code === "LOAD_UNUSED_MACRO" || code === "LOAD_UNUSED_LIST";

/**
 * One for each file. Only the last file's report knows what is used by none of them, and a file with rules that were not
 * compiled may use it in those.
 */
const unusedProblems = ({ reports, problems }: RuleSet): readonly Problem[] => {
  const partly = new Set(problems.flatMap(({ code, file }) => (code === "LOAD_UNKNOWN_SOURCE" ? [file] : [])));
  const unused = (reports.at(-1)?.problems ?? []).filter((each) => isUnused(each) && !partly.has(each.file));
  return Array.from(
    Map.groupBy(unused, ({ file }) => file),
    ([file, found]) => {
      const names = found.map(({ locations }) => locations.at(-1)?.item_name);
      const rest = names.length > 5 ? ` and ${names.length - 5} more` : "";
      const message = `used by no rule: ${names.slice(0, 5).join(", ")}${rest}`;
      return { severity: "warning", key: "rules_files", message, file };
    },
  );
};

/**
 * Errors, and warnings about rules that can match. Of those that cannot, only a field that nobody knows is worth a word,
 * once in each file.
 */
const otherProblems = ({ problems, unfed }: RuleSet): readonly RuleProblem[] => {
  const idle = new Set([...unfed.values()].flat());
  const isIdle = ({ locations }: RuleProblem): boolean =>
    locations.some(({ item_type, item_name }) => item_type === "rule" && idle.has(item_name));
  const said = new Set<string>();
  const isNew = ({ file, message }: RuleProblem): boolean => {
    const before = said.size;
    return said.add(`${file} ${message}`).size > before;
  };
  return problems.filter(
    (each) =>
      each.severity === "error" ||
      (!isUnused(each) && (!isIdle(each) || (each.code === "LOAD_UNKNOWN_FILTER" && isNew(each)))),
  );
};

const placed = ({ severity, code, title, message, file, line, column }: RuleProblem): Problem => ({
  severity,
  key: code,
  message: message === "" ? title : message,
  file,
  line: line + 1,
  column: column + 1,
});
