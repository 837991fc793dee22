import type { Field } from "../sdk/catalog.ts";

type Described = Pick<Field<never>, "name" | "type" | "list" | "about" | "arg">;

const typeOf = ({ type, list }: Described): string => (list ? `list of ${type}` : type);

const argOf = ({ arg }: Described): string => {
  if (!arg) return "";
  const kind = arg.kind === "both" ? "index or key" : arg.kind;
  return arg.required ? kind : `${kind}, optional`;
};

/** Every field with its type, its argument and a sentence, ending in a newline. */
export const jsonMarkdownOrTable = (fields: readonly Described[], form: "json" | "markdown" | "table"): string => {
  const rows = fields.map((field) => [field.name, typeOf(field), argOf(field), field.about] as const);
  if (form === "json") {
    const plain = fields.map(({ name, type, list, arg, about }) => ({ name, type, list, ...(arg && { arg }), about }));
    return `${JSON.stringify(plain, undefined, 2)}\n`;
  }
  if (form === "markdown") {
    const lines = rows.map(
      ([name, type, arg, about]) => `| \`${name}\` | ${type} | ${arg} | ${about.replaceAll("|", "\\|")} |`,
    );
    return ["| field | type | argument | what it is |", "| --- | --- | --- | --- |", ...lines, ""].join("\n");
  }
  const head = ["FIELD", "TYPE", "ARGUMENT", "WHAT IT IS"] as const;
  const widths = [0, 1, 2].map((i) => Math.max(...[head, ...rows].map((row) => (row[i] ?? "").length)));
  return [head, ...rows]
    .map((row) => row.map((cell, i) => (i < 3 ? cell.padEnd(widths[i] ?? 0) : cell)).join("  "))
    .join("\n")
    .concat("\n");
};
