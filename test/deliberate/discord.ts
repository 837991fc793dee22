import { body, type Deliberate } from "../support/deliberate-shape.ts";
import { emptyTextMeansNone, markupPage, numbersShown } from "../support/differences.ts";

export default [
  emptyTextMeansNone,
  numbersShown,
  {
    cases: /^/,
    reason: "an alert mentions nobody",
    page: markupPage,
    becomes: (shape) => body(shape, (value) => ({ ...value, allowed_mentions: { parse: [] } })),
  },
] satisfies readonly Deliberate[];
