import { body, type Deliberate, input } from "../support/deliberate-shape.ts";
import { storedWhole } from "../support/differences.ts";

export default [
  {
    ...storedWhole,
    becomes: (shape, golden) =>
      body(shape, ({ event, ...value }) => {
        const { output, output_fields } = input(golden);
        return { event: { ...event, output, output_fields }, ...value };
      }),
  },
] satisfies readonly Deliberate[];
