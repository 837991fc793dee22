import { body, type Deliberate, input, texts } from "../support/deliberate-shape.ts";
import { markupPage, numbersShown, unlinked, untagged } from "../support/differences.ts";

export default [
  numbersShown,
  {
    cases: /html-md-meta/,
    reason: "an alert's text is no link and no tag",
    page: markupPage,
    becomes: (shape) => body(shape, (value) => texts(value, (text) => untagged(unlinked(text)))),
  },
  {
    cases: /fmt-text/,
    reason: "outputformat text shows the alert's text instead of nothing",
    page: "no-empty-messages.md",
    becomes: (shape, golden) => body(shape, () => ({ text: input(golden).output })),
  },
] satisfies readonly Deliberate[];
