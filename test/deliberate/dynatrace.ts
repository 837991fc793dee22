import { body, type Deliberate, input } from "../support/deliberate-shape.ts";
import { storedWhole } from "../support/differences.ts";

export default [
  {
    ...storedWhole,
    becomes: (shape, golden) =>
      body(shape, (records) => {
        const [record] = records as unknown as readonly [{ content: object }];
        const { output, output_fields } = input(golden);
        return [{ ...record, content: { ...record.content, output, output_fields } }];
      }),
  },
] satisfies readonly Deliberate[];
