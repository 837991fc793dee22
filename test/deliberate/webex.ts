import { body, cut, type Deliberate, input, texts } from "../support/deliberate-shape.ts";
import { listsReadable, markupPage, untagged } from "../support/differences.ts";

export default [
  listsReadable,
  {
    cases: /mixed-types|k8s-audit|hash-fields|globals-k8s/,
    reason: "what stands for no value is no tag, which Webex would not show",
    page: markupPage,
    becomes: (shape) => body(shape, (value) => texts(value, untagged)),
  },
  {
    cases: /long-output/,
    reason: "Webex refuses messages above 7439 bytes",
    page: "limits-per-destination.md",
    becomes: (shape, golden) => {
      const { output } = input(golden);
      return body(shape, (value) => texts(value, (text) => text.replace(output, cut(output, 3000))));
    },
  },
] satisfies readonly Deliberate[];
