import type { FieldCatalog } from "../sdk/catalog.ts";
import { bindOperand } from "./bind/bind.ts";
import { createSlots, FieldFault, type Slots } from "./bind/slots.ts";
import { type CompiledRule, compileAll } from "./compile.ts";
import { type Collector, createCollector } from "./file/collect.ts";
import type { RuleConfig } from "./file/config.ts";
import { type Context, fileContext, type RulesFile, rulesFile, within } from "./file/context.ts";
import { type Code, problem, type RuleProblem, RulesError } from "./file/problem.ts";
import { readItem } from "./file/read.ts";
import type { Warn } from "./file/read-exceptions.ts";
import { schemaWarnings } from "./file/schema.ts";
import type { FieldCheck } from "./file/validate-exception.ts";
import type { LoadedPlugin } from "./file/version.ts";
import { readYaml, type YamlNode } from "./file/yaml.ts";
import { parseOperand } from "./syntax/parse.ts";

export interface FileInput {
  /** As reports shall show it. */
  readonly name: string;
  readonly text: string;
}

/** What Falco reports of one file. */
export interface FileReport {
  readonly name: string;
  readonly ok: boolean;
  /** Undefined: there was nothing to hold against the schema. */
  readonly schemaValid: boolean | undefined;
  readonly schemaWarnings: readonly string[];
  /** Errors and warnings in the order in which they were found; those marked `later` Falco would not have got to. */
  readonly problems: readonly RuleProblem[];
}

export interface Loaded {
  readonly reports: readonly FileReport[];
  /** Rules of the last file's compilation, in order of definition; those with faults are left out. */
  readonly rules: readonly CompiledRule<unknown>[];
  readonly slots: ReadonlyMap<string, Slots<unknown>>;
  readonly requirements: readonly (readonly LoadedPlugin[])[];
  /** Everything that the files define, also what did not compile. */
  readonly collector: Collector;
}

/**
 * Reads and compiles rules files in order. Like Falco, each file is compiled with all files before it; unlike Falco, the
 * first error does not end the search for more.
 */
export const loadFiles = (
  files: readonly FileInput[],
  // biome-ignore lint/suspicious/noExplicitAny: catalogues of events of every shape
  catalogs: readonly FieldCatalog<any>[],
  config: RuleConfig,
): Loaded => {
  const slots = new Map<string, Slots<unknown>>(catalogs.map((catalog) => [catalog.source, createSlots(catalog)]));
  let warn: Warn = () => undefined;
  const collector = createCollector(
    (source) => fieldCheck(slots.get(source)),
    (source, context) => warn("LOAD_UNKNOWN_SOURCE", `Unknown source ${source}, skipping`, context),
  );
  let rules: readonly CompiledRule<unknown>[] = [];
  const reports = files.map((input) => {
    const file = rulesFile(input.name, input.text.replace(/^\ufeff/, ""));
    const problems: RuleProblem[] = [];
    let failed = false;
    const add = (code: Code, message: string, context: Context, deprecatedField?: string): void => {
      problems.push(
        problem(code, message, context, { later: failed, ...(deprecatedField !== undefined && { deprecatedField }) }),
      );
    };
    warn = add;
    const complain = (error: RulesError): void => {
      add(error.code, error.message, error.context);
      failed = true;
    };
    const documents = readDocuments(file, complain);
    for (const document of documents)
      readDocument(
        document,
        file,
        (item, root) => {
          attempt(() => readItem(item, root, collector, add), complain);
        },
        complain,
      );
    rules = compileAll(collector, (source) => slots.get(source), config, add, complain);
    const schema = schemaWarnings(documents);
    return {
      name: input.name,
      ok: !failed,
      schemaValid: schema === undefined ? undefined : schema.length === 0,
      schemaWarnings: schema ?? [],
      problems,
    };
  });
  return { reports, rules, slots, requirements: collector.requirements, collector };
};

const attempt = (work: () => void, complain: (error: RulesError) => void): void => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof RulesError)) throw error;
    complain(error);
  }
};

const fieldCheck = (slots: Slots<unknown> | undefined): FieldCheck => {
  if (slots === undefined) return undefined;
  return (field) => {
    const parsed = parseOperand(field);
    if (!parsed.ok || parsed.end !== field.length) return false;
    try {
      bindOperand(parsed.value, slots);
      return true;
    } catch (error) {
      if (error instanceof FieldFault) return false;
      throw error;
    }
  };
};

const readDocuments = (file: RulesFile, complain: (error: RulesError) => void): readonly YamlNode[] => {
  const documents = readYaml(file.text);
  if (!("message" in documents)) return documents;
  const { message, at } = documents;
  const before = file.text.slice(0, at);
  const line = before.split("\n").length;
  const column = Buffer.byteLength(before.slice(before.lastIndexOf("\n") + 1)) + 1;
  const context = within(fileContext(file), "value for", "", at);
  complain(
    new RulesError("LOAD_ERR_YAML_PARSE", `yaml-cpp: error at line ${line}, column ${column}: ${message}`, context),
  );
  return [];
};

const readDocument = (
  document: YamlNode,
  file: RulesFile,
  read: (item: YamlNode, root: Context) => void,
  complain: (error: RulesError) => void,
): void => {
  const root = fileContext(file);
  if (document.kind === "null") return;
  if (document.kind === "scalar") complain(new RulesError("LOAD_ERR_YAML_VALIDATE", "Rules content is not yaml", root));
  else if (document.kind === "map")
    complain(new RulesError("LOAD_ERR_YAML_VALIDATE", "Rules content is not yaml array of objects", root));
  else for (const item of document.items) if (item.kind !== "null") read(item, root);
};
