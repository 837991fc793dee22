import { body, type Deliberate, input } from "../support/deliberate-shape.ts";
import { emptyTextMeansNone, noLinks, numbersShown } from "../support/differences.ts";

export default [
  numbersShown,
  emptyTextMeansNone,
  {
    cases: /fmt-text|msgformat-text/,
    reason: "outputformat text shows the alert's text instead of nothing",
    page: "rocketchat-text.md",
    becomes: (shape, golden) =>
      body(shape, (value) => {
        const { output } = input(golden);
        const color = /critical/.test(golden.name) ? "#ff5400" : "#ffc700";
        return { ...value, attachments: [{ fallback: output, color, text: output }] };
      }),
  },
  noLinks,
] satisfies readonly Deliberate[];
