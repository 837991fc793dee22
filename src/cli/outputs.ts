import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { deliveryFields } from "../config/delivery-fields.ts";
import type { Output } from "../sdk/output.ts";
import { type Command, UsageError } from "./command.ts";
import { type Parameter, parametersOf } from "./parameters.ts";

interface Described {
  readonly name: string;
  readonly display: string;
  readonly category: string;
  readonly about: string;
  /** A configuration that enables it, as it stands in the file. */
  readonly example: unknown;
  readonly parameters: readonly Parameter[];
}

/**
 * `eyrie outputs [name] [--json|--markdown]`: every output with its parameters, and once those that all have; with a
 * name that output alone, with an example.
 */
export const outputs: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: "boolean" }, markdown: { type: "boolean" } },
  });
  const [wanted, ...more] = positionals;
  if (more.length > 0) throw new UsageError("outputs takes one name at most");
  const chosen = io.outputs.filter((o) => wanted === undefined || o.name === wanted.toLowerCase());
  if (chosen.length === 0) {
    throw new UsageError(`no output "${wanted}"; there are ${io.outputs.map((o) => o.name).join(", ")}`);
  }
  const described = chosen.map(describe);
  const shared = wanted === undefined ? parametersOf(deliveryFields, "<OUTPUT>.") : [];
  if (values.json) {
    const everyOutput = wanted === undefined && { everyOutput: shared };
    io.stdout.write(`${JSON.stringify({ outputs: described, ...everyOutput }, undefined, 2)}\n`);
    return 0;
  }
  const [heading, table] = values.markdown ? [markdownHeading, markdownTable] : [plainHeading, plainTable];
  const one = ({ name, display, category, about, example, parameters }: Described): string[] => [
    heading(name, `${display}, ${category}. ${about}`),
    ...(wanted === undefined ? [] : [values.markdown ? fenced(example) : stringify(example).trimEnd()]),
    table(parameters),
  ];
  const parts = [
    ...described.flatMap(one),
    ...(wanted === undefined
      ? [heading("every output", "Keys that each output has besides its own."), table(shared)]
      : ["Keys that every output has: eyrie outputs"]),
  ];
  io.stdout.write(`${parts.join("\n\n")}\n`);
  return 0;
};

const describe = (output: Output): Described => ({
  name: output.name,
  display: output.display ?? output.name,
  category: output.category,
  about: output.about,
  example: nest(output.name, Object.entries(output.example).reduce(put, {})),
  parameters: parametersOf(output.fields, `${output.name}.`),
});

type Tree = Readonly<Record<string, unknown>>;

/** Dotted names as nested maps: `aws.sqs` is written `aws: { sqs: … }`. */
const nest = (name: string, inner: unknown): unknown =>
  name.split(".").reduceRight<unknown>((value, key) => ({ [key]: value }), inner);

const put = (tree: Tree, [path, value]: readonly [string, unknown]): Tree => {
  const dot = path.indexOf(".");
  if (dot < 0) return { ...tree, [path]: value };
  const [key, rest] = [path.slice(0, dot), path.slice(dot + 1)];
  return { ...tree, [key]: put((tree[key] ?? {}) as Tree, [rest, value]) };
};

const fenced = (example: unknown): string => `\`\`\`yaml\n${stringify(example).trimEnd()}\n\`\`\``;

const defaultText = ({ default: byDefault }: Parameter): string =>
  byDefault === undefined ? "" : typeof byDefault === "string" ? byDefault : JSON.stringify(byDefault);

const markdownHeading = (title: string, about: string): string => `## ${title}\n\n${about}`;
const plainHeading = (title: string, about: string): string => `${title}: ${about}`;

const markdownTable = (parameters: readonly Parameter[]): string => {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const row = (p: Parameter): string =>
    `| \`${p.key}\` | \`${p.env}\` | ${[p.type, defaultText(p), p.secret ? "yes" : "", p.about].map(cell).join(" | ")} |`;
  return ["| key | environment | type | default | secret | |", "| --- | --- | --- | --- | --- | --- |"]
    .concat(parameters.map(row))
    .join("\n");
};

const plainTable = (parameters: readonly Parameter[]): string => {
  const width = Math.max(...parameters.map((p) => p.key.length));
  const indent = " ".repeat(width + 4);
  return parameters
    .map((p) => {
      const byDefault = defaultText(p);
      const traits = [p.env, p.type, ...(p.secret ? ["secret"] : []), ...(byDefault ? [`default ${byDefault}`] : [])];
      return `  ${p.key.padEnd(width)}  ${p.about}\n${indent}${traits.join(", ")}`;
    })
    .join("\n");
};
