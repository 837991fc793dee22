import { goJson } from "../../src/sdk/alert.ts";
import { body, type Deliberate, input } from "../support/deliberate-shape.ts";

export default [
  {
    cases: /long-field/,
    reason: "destinations that store the raw event get it whole",
    page: "limits-per-destination.md",
    becomes: (shape, golden) =>
      body(shape, (value) => {
        const { output, output_fields } = input(golden);
        const sorted = Object.fromEntries(Object.entries(output_fields).toSorted(([a], [b]) => (a < b ? -1 : 1)));
        const sent = JSON.parse(String(value.MessageBody)) as object;
        const whole = goJson({ ...sent, output, output_fields: sorted });
        return { ...value, MessageBody: whole.replace("\\u003cUUID\\u003e", "<UUID>") };
      }),
  },
] satisfies readonly Deliberate[];
