import { body, type Deliberate, input } from "../support/deliberate-shape.ts";
import { cutBetweenCharacters } from "../support/differences.ts";

export default [
  cutBetweenCharacters,
  {
    cases: /long-field/,
    reason: "destinations that store the raw event get it whole",
    page: "limits-per-destination.md",
    becomes: (shape, golden) =>
      body(shape, (value) => {
        const { output, output_fields } = input(golden);
        return { ...value, event: { ...value.event, output, output_fields } };
      }),
  },
] satisfies readonly Deliberate[];
