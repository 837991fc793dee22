import { body, type Deliberate } from "../support/deliberate-shape.ts";
import { colonsKept, cutBetweenCharacters, storedWhole } from "../support/differences.ts";

export default [
  cutBetweenCharacters,
  storedWhole,
  {
    ...colonsKept,
    becomes: (shape) =>
      body(shape, (value) => ({ ...value, output_fields: { ...(value.output_fields as object), x: "y:z" } })),
  },
  {
    cases: /globals-overwrite/,
    reason: "the name of a custom field may hold dots in YAML",
    page: "custom-fields-with-dots.md",
    becomes: (shape) =>
      body(shape, (value) => ({ ...value, output_fields: { ...(value.output_fields as object), "proc.name": "CF" } })),
  },
] satisfies readonly Deliberate[];
