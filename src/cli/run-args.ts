import { parseArgs } from "node:util";
import type { Selection } from "../rules/index.ts";

/** Falco's command line as far as it has a meaning for a file of events. */
export interface RunArgs {
  readonly config: string | undefined;
  readonly rules: readonly string[];
  readonly validate: readonly string[];
  readonly describeAll: boolean;
  readonly describe: string | undefined;
  readonly list: boolean;
  readonly markdown: boolean;
  readonly overrides: readonly string[];
  /** What `-D`, `-T` and `-t` ask for, in this order. */
  readonly selections: readonly Selection[];
  /** Formats to append to every output. */
  readonly print: readonly string[];
  /** Event time after which to stop, in seconds; 0: never. */
  readonly seconds: number;
  readonly dryRun: boolean;
  /** Go on as the file of events grows. */
  readonly follow: boolean;
  /** A recorded stream of a metadata collector. */
  readonly metadata: string | undefined;
  readonly enabledSources: readonly string[];
  readonly help: boolean;
  readonly version: boolean;
  /** Files of events; `-` is standard input. */
  readonly files: readonly string[];
}

const text = { type: "string", multiple: true } as const;
const flag = { type: "boolean", multiple: true } as const;

const options = {
  config: { ...text, short: "c" },
  rules: { ...text, short: "r" },
  validate: { ...text, short: "V" },
  "describe-all": { ...flag, short: "L" },
  describe: { ...text, short: "l" },
  list: flag,
  markdown: flag,
  option: { ...text, short: "o" },
  "disable-part": { ...text, short: "D" },
  "disable-tag": { ...text, short: "T" },
  "enable-tag": { ...text, short: "t" },
  print: { ...text, short: "p" },
  seconds: { ...text, short: "M" },
  "dry-run": flag,
  follow: flag,
  metadata: text,
  "enable-source": text,
  "disable-source": text,
  unbuffered: { ...flag, short: "U" },
  verbose: { ...flag, short: "v" },
  help: { ...flag, short: "h" },
  version: flag,
};

type Name = keyof typeof options;
/** Names that exist in their short form only. */
const shortOnly = new Set<string>(["describe-all", "disable-part", "disable-tag", "enable-tag", "seconds"]);

/** The arguments, or what is wrong with them in Falco's words. */
export const parseRunArgs = (argv: readonly string[]): RunArgs | { readonly fault: string } => {
  const { tokens, positionals } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<Name, string[]>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    const shown = rawName.replace(/^-+/, "");
    const known = name in options && !(rawName.startsWith("--") && shortOnly.has(name));
    if (!known) return { fault: `Option ‘${shown}’ does not exist` };
    const takesValue = options[name as Name].type === "string";
    if (takesValue && value === undefined) return { fault: `Option ‘${shown}’ is missing an argument` };
    if (!takesValue && value !== undefined && name !== "list") return { fault: `Argument ‘${value}’ failed to parse` };
    given.set(name as Name, [...(given.get(name as Name) ?? []), value ?? ""]);
  }
  const all = (name: Name): readonly string[] => given.get(name) ?? [];
  const has = (name: Name): boolean => given.has(name);
  const seconds = all("seconds").at(-1) ?? "0";
  if (!/^\d+$/.test(seconds)) return { fault: `Argument ‘${seconds}’ failed to parse` };
  if (has("enable-tag") && (has("disable-part") || has("disable-tag")))
    return { fault: "You can not specify both disabled (-D/-T) and enabled (-t) rules" };
  const off = (key: "part" | "tag", names: readonly string[]): Selection[] =>
    names.map((name) => ({ enable: false, [key]: name }));
  return {
    config: all("config").at(-1),
    rules: all("rules"),
    validate: all("validate"),
    describeAll: has("describe-all"),
    describe: all("describe").at(-1),
    list: has("list"),
    markdown: has("markdown"),
    overrides: all("option"),
    selections: [
      ...off("part", all("disable-part")),
      ...off("tag", all("disable-tag")),
      ...(has("enable-tag") ? [{ enable: false, rule: "*" }] : []),
      ...all("enable-tag").map((tag) => ({ enable: true, tag })),
    ],
    print: all("print"),
    seconds: Number(seconds),
    dryRun: has("dry-run"),
    follow: has("follow"),
    metadata: all("metadata").at(-1),
    enabledSources: all("enable-source"),
    help: has("help"),
    version: has("version"),
    files: positionals,
  };
};

export const runHelp = `Usage: eyrie run [flags] [events.jsonl… | -]

Applies rules to audit events, one JSON value a line (plain or gzip), and prints an alert for each match.

  -c FILE              falco.yaml
  -r FILE|DIR          rules, in the order given; without: rules_files of falco.yaml, else Eyrie's own
  -o KEY=VALUE         a key of falco.yaml: json_output=true, rule_matching=all, rules[].disable.rule=NAME
  -D TEXT, -T TAG      leave out rules whose name holds TEXT, or that bear TAG
  -t TAG               only the rules that bear TAG
  -M SECONDS           stop when the events have gone on for so long
  -p FORMAT            append to every output
  --enable-source NAME the kind of the events, as "source" of rules names it; without: audit events
  --follow             go on as the file grows, until SIGINT or -M
  --metadata FILE      what a k8s-metacollector told, recorded: for rules on k8smeta.* and k8sres.*
  --dry-run            load everything and stop
  -V FILE              validate rules files (-o json_output=true: as JSON)
  -L, -l RULE          describe all rules, or one
  --list [--markdown]  the fields that rules may use
  --version
`;
