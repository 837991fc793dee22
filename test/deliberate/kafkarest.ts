import { body, type Deliberate, input, type Json } from "../support/deliberate-shape.ts";
import { storedWhole } from "../support/differences.ts";

export default [
  {
    ...storedWhole,
    becomes: (shape, golden) =>
      body(shape, ({ records }) => {
        const [{ value }] = records as unknown as [{ value: Json }];
        const { output, output_fields } = input(golden);
        return { records: [{ value: { ...value, output, output_fields } }] };
      }),
  },
] satisfies readonly Deliberate[];
