import { body, type Deliberate, input } from "../support/deliberate-shape.ts";
import { listed } from "../support/golden-numbers.ts";
import type { GoldenCase } from "../support/golden-replay.ts";

const common = {
  cases: /mixed-types/,
  reason: "lists become tags and labels too",
  page: "numbers-kept-in-chat.md",
} as const;

const listsOf = (golden: GoldenCase) =>
  Object.entries(input(golden).output_fields).filter((field): field is [string, unknown[]] => Array.isArray(field[1]));

export default [
  {
    outputs: ["datadog"],
    ...common,
    becomes: (shape, golden) =>
      body(shape, (value) => {
        const tags = value.tags as unknown as readonly string[];
        const own = listsOf(golden).flatMap(([name, items]) => listed(items).map((item) => `${name}:${item}`));
        const at = tags.findIndex((tag) => tag.startsWith("source:"));
        return { ...value, tags: [...tags.slice(0, at), ...own, ...tags.slice(at)] };
      }),
  },
  {
    outputs: ["influxdb"],
    ...common,
    becomes: (shape, golden) =>
      body(shape, (value) => {
        const own = listsOf(golden).map(([name, items]) => `${name}=${listed(items).join("\\,_")}`);
        return { ...value, tags: [...(value.tags as unknown as readonly string[]), ...own].toSorted() };
      }),
  },
] satisfies readonly Deliberate[];
