import type { AnySource } from "../sdk/source.ts";
import type { Environment } from "./environment.ts";
import { expand } from "./expand.ts";
import { readFalco } from "./falco.ts";
import { completed } from "./falco-includes.ts";
import { falcoFields, falcoLists } from "./falco-keys.ts";
import { flatten } from "./flatten.ts";
import { collectProblems } from "./problem.ts";
import { readText } from "./read-text.ts";
import { emptyMap, readYaml } from "./tree.ts";
import type { FalcoConfig, Problem } from "./types.ts";

export interface FalcoOptions {
  /** Path of falco.yaml; absent: defaults. */
  readonly file?: string | undefined;
  /** Those whose plugins it may load. */
  readonly sources: readonly AnySource[];
  /** For `${NAME}` in the file. */
  readonly env: Environment;
  /** `key=value` each, over the file. */
  readonly overrides: readonly string[];
}

/** Outputs of Falco that somebody waits at; its standard output is a command's own, its syslog is on by default. */
const blocks = ["file_output", "http_output", "program_output", "grpc_output"];

const space = {
  leaves: new Set([...Object.keys(falcoFields), ...falcoLists, ...blocks.map((block) => `${block}.enabled`)]),
  roots: new Set<string>(),
  shorthand: new Map(),
  guards: new Set<string>(),
};

export interface Falco {
  readonly config: FalcoConfig;
  readonly problems: readonly Problem[];
  /** Blocks of outputs that are enabled, `stdout_output` and `syslog_output` aside. */
  readonly outputs: readonly string[];
}

/** falco.yaml's keys about rules and alerts; every other key is left alone. Throws when the file cannot be read. */
export const loadFalco = (options: FalcoOptions): Falco => {
  const { file, env, overrides } = options;
  const problems = collectProblems();
  const read = readText;
  const inFile = file === undefined ? emptyMap : readYaml(read(file), file, problems);
  const tree = completed(inFile, file, overrides, { env, read, problems });
  const { found } = flatten(expand(tree, env), space, "", problems);
  const config = readFalco(found, options.sources, { env, read, problems });
  const on = (key: string): boolean => {
    const tree = found.get(key);
    return tree?.kind === "leaf" && String(tree.value) === "true";
  };
  return { config, problems: problems.list(), outputs: blocks.filter((block) => on(`${block}.enabled`)) };
};
