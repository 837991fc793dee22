import { stringify } from "yaml";
import type { z } from "zod";
import { deliveryFields } from "../../src/config/delivery-fields.ts";
import { falcoFields } from "../../src/config/falco-keys.ts";
import { globalFields } from "../../src/config/globals.ts";
import { type Fields, fieldMeta } from "../../src/sdk/fields.ts";
import type { Output } from "../../src/sdk/output.ts";
import type { Source } from "../../src/sdk/source.ts";
import { defaultOf } from "./docs.ts";
import { type Nested, nest } from "./nest.ts";
import { banner } from "./registry.ts";

interface Line {
  readonly about: string;
  readonly value: unknown;
  /** Set without a value it would be a fault. */
  readonly bare: boolean;
}

const value = (v: unknown): string =>
  v === undefined ? "" : ` ${stringify(v, { collectionStyle: "flow", lineWidth: 0 }).trim()}`;

/** Nested keys, each under its sentence. */
const write = (node: Nested<Line>, indent: string): string[] =>
  [...node.children].flatMap(([key, child]) => [
    ...(child.leaf
      ? [`${indent}# ${child.leaf.about}`, `${indent}${child.leaf.bare ? "# " : ""}${key}:${value(child.leaf.value)}`]
      : []),
    ...(child.children.size > 0 ? [`${indent}${key}:`, ...write(child, `${indent}  `)] : []),
  ]);

const linesOf = (fields: Fields, example: Readonly<Record<string, unknown>> = {}): [string, Line][] =>
  Object.entries(fields).map(([key, schema]: [string, z.ZodType]) => [
    key,
    key in example || !fieldMeta(schema).guard
      ? { about: schema.description ?? "", value: key in example ? example[key] : defaultOf(schema), bare: false }
      : { about: schema.description ?? "", value: undefined, bare: true },
  ]);

const prefixed = (name: string, lines: readonly [string, Line][]): [string, Line][] =>
  lines.map(([key, line]) => [`${name}.${key}`, line]);

/** A line without its comment sign is YAML again; sentences keep theirs. */
const commented = (lines: readonly string[]): string[] => lines.map((l) => (l.startsWith("# ") ? l : `#${l}`));

/** config/eyrie.yaml: every key, commented out, with its default or an example. */
export const exampleText = (outputs: readonly Output[], sources: readonly Source[]): string => {
  const block = (title: string, lines: readonly string[]): string => [`## ${title}`, ...commented(lines)].join("\n");
  const groups = new Map<string, [string, Line][]>();
  const add = (name: string, lines: [string, Line][]): void => {
    const top = name.split(".")[0] ?? name;
    groups.set(top, [...(groups.get(top) ?? []), ...prefixed(name, lines)]);
  };
  const priority = { minimumpriority: deliveryFields.minimumpriority };
  for (const o of outputs) add(o.name, linesOf({ ...o.fields, ...priority }, o.example));
  for (const s of sources) add(s.name, linesOf(s.fields, s.example));
  const abouts = new Map([...outputs, ...sources].map((o) => [o.name.split(".")[0], o.about]));
  const blocks = [
    `# ${banner}\n# yaml-language-server: $schema=./schema.json\n#\n# Every key with its default or an example: take away the \`#\` of the lines you need. Each key is also a variable:\n# \`queue.redis.url\` is QUEUE_REDIS_URL. \`check-config\` says what was understood.`,
    block("The hub", write(nest(linesOf(globalFields)), "")),
    [
      "## Every output has these keys beside its own, here for the second of two instances of the webhook:",
      ...[
        "webhook:",
        "  - name: everything",
        "    address: https://example.org/all",
        "  - name: some",
        "    address: https://example.org/some",
      ].map((l) => `## ${l}`),
      ...write(nest(linesOf(deliveryFields)), "    ").map((l) => `## ${l}`),
    ].join("\n"),
    ...[...groups].map(([top, lines]) => block(abouts.get(top) ?? top, write(nest(lines), ""))),
    block(
      "Keys of falco.yaml; `plugins`, `append_output` and `rules` are read as well",
      // rules_files and its older name exclude each other.
      write(nest(linesOf(falcoFields).filter(([key]) => key !== "rules_file")), ""),
    ),
  ];
  return `${blocks.join("\n\n")}\n`;
};
