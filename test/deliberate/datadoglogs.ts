import { body, type Deliberate, input } from "../support/deliberate-shape.ts";
import { storedWhole } from "../support/differences.ts";

export default [
  {
    ...storedWhole,
    becomes: (shape, golden) =>
      body(shape, ({ message, ...value }) => {
        const { output, output_fields: whole } = input(golden);
        const event = JSON.parse(String(message)) as { output_fields: object };
        const output_fields = Object.fromEntries(Object.keys(event.output_fields).map((name) => [name, whole[name]]));
        return { ...value, message: JSON.stringify({ ...event, output, output_fields }) };
      }),
  },
] satisfies readonly Deliberate[];
