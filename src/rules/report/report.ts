import type { RuleProblem } from "../file/problem.ts";
import type { FileReport } from "../load.ts";

export interface ReportOptions {
  /** Only what Falco would have found: it stops a file at the first error. */
  readonly asFalco?: boolean;
}

const shown = (report: FileReport, options: ReportOptions): { errors: RuleProblem[]; warnings: RuleProblem[] } => {
  const problems = report.problems.filter((each) => !(options.asFalco && each.later));
  return {
    errors: problems.filter((each) => each.severity === "error"),
    warnings: problems.filter((each) => each.severity === "warning"),
  };
};

const jsonProblem = (each: RuleProblem) => ({
  code: each.code,
  codedesc: each.codedesc,
  context: { locations: each.locations, snippet: each.snippet },
  ...(each.deprecatedField !== undefined && { deprecated_field: each.deprecatedField }),
  message: each.message,
});

/** The report of `-V` with `json_output`: one object a file under `falco_load_results`. */
export const jsonReport = (reports: readonly FileReport[], options: ReportOptions = {}) => ({
  falco_load_results: reports.map((report) => {
    const { errors, warnings } = shown(report, options);
    return {
      errors: errors.map(jsonProblem),
      name: report.name,
      ...(report.schemaValid !== undefined && { schema_valid: report.schemaValid }),
      ...(report.schemaValid !== undefined && { schema_warnings: report.schemaWarnings }),
      successful: report.ok,
      warnings: warnings.map(jsonProblem),
    };
  }),
});

/** The report of `-V` as text; `verbose`: with warnings, as on standard error. */
export const textReport = (
  reports: readonly FileReport[],
  options: ReportOptions & { readonly verbose?: boolean } = {},
): string => reports.map((report) => `${textOf(report, options)}\n`).join("");

const textOf = (report: FileReport, options: ReportOptions & { readonly verbose?: boolean }): string => {
  const { errors, warnings } = shown(report, options);
  const head = `${report.name}: ${report.ok ? `Ok${warnings.length > 0 ? ", with warnings" : ""}` : "Invalid"}`;
  if (!options.verbose && report.ok) return head;
  const parts = [`${head}\n`];
  if (report.schemaWarnings.length > 0)
    parts.push(
      `${report.schemaWarnings.length} Schema warnings:\n${report.schemaWarnings.map((warning) => `------\n${warning}\n`).join("")}------\n\n`,
    );
  if (errors.length > 0) parts.push(`${errors.length} Errors:\n${errors.map(blockOf).join("")}`);
  if (warnings.length > 0 && options.verbose)
    parts.push(`${errors.length > 0 ? "\n" : ""}${warnings.length} Warnings:\n${warnings.map(blockOf).join("")}`);
  return parts.length === 1 ? head : parts.join("");
};

/** One problem: its places, the excerpt with the caret, and what is wrong. */
export const blockOf = (each: RuleProblem): string => {
  const places = each.locations.map(({ item_type, item_name, position }, i) => {
    const name = item_name === "" ? "" : ` '${item_name}'`;
    return `${i === 0 ? "In " : "    "}${item_type}${name}: (${position.name}:${position.line}:${position.column})\n`;
  });
  return `${places.join("")}------\n${each.snippet}------\n${each.code} (${each.title}): ${each.message}\n`;
};
