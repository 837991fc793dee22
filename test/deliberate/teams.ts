import { body, cut, type Deliberate, texts } from "../support/deliberate-shape.ts";
import { markupPage, numbersShown, unlinked, untagged } from "../support/differences.ts";

export default [
  numbersShown,
  {
    cases: /long-output/,
    reason: "Teams refuses messages above 28 KB",
    page: "limits-per-destination.md",
    becomes: (shape) => body(shape, (value) => texts(value, (text) => cut(text, 8000))),
  },
  {
    cases: /html-md-meta/,
    reason: "an alert's text is no link and no tag",
    page: markupPage,
    becomes: (shape) => body(shape, (value) => texts(value, (text) => untagged(unlinked(text)))),
  },
] satisfies readonly Deliberate[];
