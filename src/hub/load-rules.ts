import { existsSync } from "node:fs";
import { hostname } from "node:os";
import type { FalcoConfig, HubConfig, Problem } from "../config/types.ts";
import type { Problem as RuleProblem } from "../rules/index.ts";
import { type AuditRules, loadAuditRules, ruleConfigOf } from "./audit-rules.ts";
import { defaultRules, readRuleFiles } from "./rule-files.ts";

/** The rules of a configuration and everything that is wrong with them. */
export interface LoadedRules {
  /** Absent: no file could be read. */
  readonly rules?: AuditRules;
  /** Names of the files that were read. */
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
}

/** Where rules are looked for; empty: this configuration has no use for any. */
export const rulePaths = ({ falco, sources }: HubConfig): readonly string[] => {
  if (falco.rulesFiles.length > 0) return falco.rulesFiles;
  return sources.some(({ source }) => source.name === "k8saudit") && existsSync(defaultRules) ? [defaultRules] : [];
};

/** What alerts of the hub's own rules say of where they come from: FALCO_HOSTNAME, else the host's name. */
export const hostnameOf = (falco: FalcoConfig): string => falco.hostname || hostname();

/** Reads and compiles the rules of a configuration. Never throws for what is in the files. */
export const loadHubRules = (config: HubConfig): LoadedRules => {
  const paths = rulePaths(config);
  if (paths.length === 0) return { files: [], problems: [] };
  const { files, missing } = readRuleFiles(paths);
  const absent = missing.map(
    (path): Problem => ({
      severity: files.length === 0 ? "error" : "warning",
      key: "rules_files",
      message: `${path} cannot be read`,
    }),
  );
  if (files.length === 0) return { files: [], problems: absent };
  const rules = loadAuditRules(files, { config: ruleConfigOf(config.falco), hostname: hostnameOf(config.falco) });
  const { unmet, problems } = rules.set;
  const unmetProblem: readonly Problem[] =
    unmet === undefined ? [] : [{ severity: "error", key: "required_plugin_versions", message: unmet }];
  return {
    rules,
    files: files.map((file) => file.name),
    problems: [...absent, ...unmetProblem, ...problems.map(placed)],
  };
};

const placed = ({ severity, code, title, message, file, line, column }: RuleProblem): Problem => ({
  severity,
  key: code,
  message: message === "" ? title : message,
  file,
  line: line + 1,
  column: column + 1,
});
