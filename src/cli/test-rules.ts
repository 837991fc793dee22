import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { loadFalco } from "../config/falco-file.ts";
import { formatProblem } from "../config/problem.ts";
import { type EventRules, loadEventRules } from "../pipeline/judge/event-rules.ts";
import { type EventKind, kindsOf } from "../pipeline/judge/kinds.ts";
import { readRuleFiles } from "../pipeline/judge/rule-files.ts";
import { textReport } from "../rules/index.ts";
import { openEvent } from "../sdk/json-event.ts";
import { type Command, type CommandIo, UsageError } from "./command.ts";
import { type RuleTest, readTests, TestFileError } from "./test-cases.ts";

/**
 * `eyrie test [-c falco.yaml] [-r RULES]… [-o key=value]… FILE|FOLDER…`: runs the tests written for rules and prints one
 * TAP line each. Exit code 1 when one fails, cannot be run, or there is none.
 */
export const testRules: Command = async (argv, io) => {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      config: { type: "string", short: "c" },
      rules: { type: "string", short: "r", multiple: true },
      option: { type: "string", short: "o", multiple: true },
    },
  });
  if (positionals.length === 0) throw new UsageError("test needs a file of tests, or a folder that holds some");
  const asked = { config: values.config, rules: values.rules ?? [], options: values.option ?? [] };
  const kinds = kindsOf(io.sources);
  let number = 0;
  let failed = 0;
  try {
    for (const file of positionals.flatMap(filesUnder)) {
      for (const test of readTests(file, kinds) ?? []) {
        number++;
        const faults = runTest(test, kinds, asked, io);
        if (faults.length > 0) failed++;
        io.stdout.write(`${faults.length > 0 ? "not ok" : "ok"} ${number} - ${test.name}\n`);
        for (const line of faults.flatMap((fault) => fault.trimEnd().split("\n"))) io.stdout.write(`  # ${line}\n`);
      }
    }
  } catch (error) {
    if (!(error instanceof TestFileError)) throw error;
    io.stderr.write(`eyrie: ${error.message}\n`);
    return 1;
  }
  io.stdout.write(`1..${number}\n# ${number - failed} passed, ${failed} failed\n`);
  if (number === 0) io.stderr.write("eyrie: no tests found: files named *.test.yaml, or with a key `tests`\n");
  return failed > 0 || number === 0 ? 1 : 0;
};

/** Files that may hold tests, in folders below too. */
const filesUnder = (path: string): readonly string[] => {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new UsageError(`${path} is not there`);
  if (!stat.isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) return entry.name.startsWith(".") ? [] : filesUnder(join(path, entry.name));
      return /\.ya?ml$/.test(entry.name) ? [join(path, entry.name)] : [];
    });
};

interface Asked {
  readonly config: string | undefined;
  readonly rules: readonly string[];
  readonly options: readonly string[];
}

/** What is wrong; empty: the test passed. */
const runTest = (test: RuleTest, kinds: readonly EventKind[], asked: Asked, io: CommandIo): readonly string[] => {
  const rules = rulesOf(test, kinds, asked, io);
  if (Array.isArray(rules)) return rules;
  const fired = new Map<string, number>();
  const faults: string[] = [];
  let number = 0;
  for (const event of test.events) {
    const text = "json" in event ? event.json : textOf(event.file, faults);
    for (const line of "json" in event ? [text] : text.split("\n")) {
      if (line.trim() === "") continue;
      const { events, dropped } = test.catalog.split(line, { maxEventBytes: 1 << 30 });
      for (const { message } of dropped) faults.push(`an event cannot be taken: ${message}`);
      for (const incoming of events)
        for (const { item } of (rules as EventRules).match(openEvent(incoming, ++number, 0)))
          fired.set(item.name, (fired.get(item.name) ?? 0) + 1);
    }
  }
  return [...faults, ...differences(test, fired, rules as EventRules)];
};

const rulesOf = (
  test: RuleTest,
  kinds: readonly EventKind[],
  asked: Asked,
  io: CommandIo,
): EventRules | readonly string[] => {
  const overrides = [...asked.options, ...test.options];
  const { config, problems } = loadFalco({ file: asked.config, sources: io.sources, env: io.env, overrides });
  const errors = problems.filter((problem) => problem.severity === "error");
  if (errors.length > 0) return errors.map(formatProblem);
  const { files, missing } = readRuleFiles(asked.rules.length > 0 ? asked.rules : test.rules);
  if (missing.length > 0) return missing.map((path) => `rules file ${path} cannot be read`);
  const rules = loadEventRules(files, {
    config,
    hostname: "test",
    kinds,
    offsetMinutes: () => 0,
  });
  const { set } = rules;
  if (set.unmet !== undefined) return [set.unmet];
  return set.ok ? rules : [textReport(set.reports.filter((report) => !report.ok))];
};

const textOf = (file: string, faults: string[]): string => {
  try {
    const bytes = readFileSync(file);
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString();
  } catch {
    faults.push(`events file ${file} cannot be read`);
    return "";
  }
};

const times = (n: number): string => (n === 1 ? "once" : `${n} times`);

const differences = (test: RuleTest, fired: ReadonlyMap<string, number>, rules: EventRules): readonly string[] => {
  const active = new Set(rules.set.rules.map((rule) => rule.item.name));
  const unmet = [...test.expect].flatMap(([rule, wanted]) => {
    const found = fired.get(rule) ?? 0;
    if (!active.has(rule) && wanted !== 0) return [`"${rule}" is no rule that is loaded and switched on`];
    if (wanted === undefined) return found > 0 ? [] : [`"${rule}" did not fire`];
    return found === wanted ? [] : [`"${rule}" fired ${times(found)}, expected ${times(wanted)}`];
  });
  const surprising = [...fired].filter(([rule]) => !test.expect.has(rule));
  return [...unmet, ...surprising.map(([rule, n]) => `"${rule}" fired ${times(n)}, not expected`)];
};
