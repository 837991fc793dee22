import { parseJson } from "../../src/json/parse.ts";
import { numberText } from "../../src/sdk/alert.ts";
import { compareBytewise } from "../../src/sdk/bytewise.ts";
import { body, type Deliberate } from "../support/deliberate-shape.ts";
import { listed } from "../support/golden-numbers.ts";

const textOf = (value: unknown): string => {
  if (Array.isArray(value)) return listed(value).join(", ");
  if (typeof value === "string" || typeof value === "boolean") return String(value);
  return value !== null && (typeof value === "number" || typeof value === "object") && !("k" in Object(value))
    ? numberText(value as number)
    : "";
};

export default [
  {
    cases: /grafana-opts/,
    reason:
      "tags of fields stand in the order of the names, lists as text, and nothing for null, objects and empty text",
    page: "numbers-kept-in-chat.md",
    becomes: (shape, golden) =>
      body(shape, (value) => {
        const tags = value.tags as readonly string[];
        const { output_fields, tags: own } = parseJson(golden.input ?? "") as unknown as {
          output_fields: Readonly<Record<string, unknown>>;
          tags: readonly string[];
        };
        const names = Object.keys(output_fields).sort(compareBytewise);
        const fields = names.map((name) => textOf(output_fields[name])).filter((text) => text !== "");
        const at = tags.length - own.length;
        return { ...value, tags: [...tags.slice(0, at - names.length), ...fields, ...tags.slice(at)] };
      }),
  },
] satisfies readonly Deliberate[];
