import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { deliveryFields } from "../../src/config/delivery-fields.ts";
import { envName } from "../../src/config/environment.ts";
import { falcoBlocks, falcoFields } from "../../src/config/falco-keys.ts";
import { falcoKeysOf } from "../../src/config/falco-sources.ts";
import { globalFields } from "../../src/config/globals.ts";
import { type Fields, fieldMeta } from "../../src/sdk/fields.ts";
import type { Output } from "../../src/sdk/output.ts";
import type { Source } from "../../src/sdk/source.ts";
import { betweenMarks } from "./marked.ts";
import { banner } from "./registry.ts";

const comment = `<!-- ${banner} -->`;

/** The default as it would be written, empty when there is none. */
export const defaultOf = (schema: z.ZodType): unknown =>
  (z.toJSONSchema(schema, { io: "input" }) as { default?: unknown }).default;

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

const shownDefault = (schema: z.ZodType): string => {
  const { shown } = fieldMeta(schema);
  const byDefault = defaultOf(schema);
  const isNothing = byDefault === undefined || byDefault === "" || JSON.stringify(byDefault) === "[]";
  if (shown !== undefined) return shown;
  return isNothing || JSON.stringify(byDefault) === "{}" ? "" : `\`${String(byDefault)}\``;
};

const table = (fields: Fields, prefix: string): string =>
  [
    "| key | environment | default | |",
    "| --- | --- | --- | --- |",
    ...Object.entries(fields).map(([key, schema]) => {
      const env = prefix === "-" ? "" : `\`${envName(prefix + key)}\``;
      const secret = fieldMeta(schema).secret ? " *Secret.*" : "";
      return `| \`${key}\` | ${env} | ${cell(shownDefault(schema))} | ${cell((schema.description ?? "") + secret)} |`;
    }),
  ].join("\n");

const fileName = (name: string): string => name.replaceAll(".", "-");

/** Dotted names as nested maps: `aws.sqs` is written `aws: { sqs: … }`. */
export const nestedExample = (name: string, example: Readonly<Record<string, unknown>>): unknown =>
  [...name.split("."), ""].slice(0, -1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), unflat(example));

const unflat = (example: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(example)) {
    const [first = key, ...rest] = key.split(".");
    if (rest.length === 0) result[first] = value;
    else result[first] = { ...(result[first] as object | undefined), ...unflat({ [rest.join(".")]: value }) };
  }
  return result;
};

/** docs/outputs/<name>.md; what a person wrote in docs/outputs/notes/<name>.md ends it. */
export const outputPages = (outputs: readonly Output[], root: string): (readonly [string, string])[] =>
  outputs.map((output) => {
    const notes = join(root, "docs/outputs/notes", `${fileName(output.name)}.md`);
    const text = [
      comment,
      `# ${output.display ?? output.name}`,
      output.about,
      `\`\`\`yaml\n${stringify(nestedExample(output.name, output.example)).trimEnd()}\n\`\`\``,
      table(output.fields, `${output.name}.`),
      "Each of these keys that is marked secret also reads `<VARIABLE>_FILE`. Keys that every output has: [configuration](../configuration.md).",
      ...(existsSync(notes) ? [readFileSync(notes, "utf8").trim()] : []),
    ];
    return [`docs/outputs/${fileName(output.name)}.md`, `${text.join("\n\n")}\n`] as const;
  });

/** docs/configuration.md */
export const configurationPage = (sources: readonly Source[]): string =>
  `${[
    comment,
    "# Configuration",
    "A value is taken from the command line (`-o key=value`), else the environment, else the YAML file, else the default. Keys are found in any case. An empty variable counts as not set, but for the tokens that doors ask for: there it is an error. A secret is also read from the file that `<VARIABLE>_FILE` names, or `<key>_file` in YAML. Maps are written `key:value,key:value` in the environment, each item split at its first colon, or as a JSON object; lists are comma separated. Durations bear a unit: `500ms`, `10s`, `5m`.",
    "",
    "`${NAME}` anywhere in a value of the file takes the variable's value, as text; a variable that is not set is a problem with its line. `$${NAME}` stands for itself, and any other `$` is left alone. Blanks and line breaks at the ends of a value are left out, but for templates. An empty text in the file (`icon: ''`) means none. The first document of a file counts.",
    "",
    "A value that is not what its key wants turns off its output when that cannot work without it (an address, a secret, a header), else the key's default is used; both are logged as errors, counted (`eyrie_output_disabled`, `eyrie_option_disabled`), reasons in `/readyz`, and warnings of `check-config`. What would lose or leak alerts stops the start: [which is which](../decisions/config-problems-stop-the-start.md). Of variables that other programs read too (`DEBUG`, `ROLE`, `LOG_LEVEL`, `LOG_FORMAT`, `QUEUE_DRIVER`) a value that does not fit is ignored, and so are `ROLE` and `QUEUE_DRIVER` where nothing names a Redis.",
    "`npm run -s eyrie -- check-config -c FILE` lists every problem with its line. An example with everything: [eyrie.yaml](../config/eyrie.yaml).",
    "## The hub",
    table(globalFields, ""),
    "## Every output",
    "Variables begin with the output's name: `SLACK_RETRY_MAX`. In a list of instances the instance's name follows: `SLACK_SECURITY_RETRY_MAX`; the plain variable then fills what an instance leaves unset.",
    table(deliveryFields, "-"),
    ...sources.flatMap((s) => [`## Source ${s.name}`, s.about, table(s.fields, `${s.name}.`)]),
    "## Keys of falco.yaml",
    "`plugins`, `append_output`, `rules` and `config_files` are read too. A variable that is not set counts as empty in them, with a warning. What every other key comes to: [compatibility.md](compatibility.md).",
    table({ ...falcoFields, ...falcoBlocks, ...falcoKeysOf(sources) }, "-"),
  ].join("\n\n")}\n`;

/** README with its table of outputs. */
export const readmeText = (readme: string, outputs: readonly Output[]): string => {
  const rows = outputs.map(
    (o) =>
      `| [${o.display ?? o.name}](docs/outputs/${fileName(o.name)}.md) | \`${o.name}\` | ${o.category} | ${cell(o.about)} |`,
  );
  return betweenMarks(
    readme,
    "outputs",
    ["| output | key | kind | |", "| --- | --- | --- | --- |", ...rows].join("\n"),
  );
};
