import { body, type Deliberate, input } from "../support/deliberate-shape.ts";
import { noLinks, numbersShown } from "../support/differences.ts";

export default [
  numbersShown,
  noLinks,
  {
    cases: /branding-empty/,
    reason: "a text that is set to nothing means none",
    page: "empty-text-means-none.md",
    becomes: (shape) => body(shape, (value) => ({ ...value, bot: { name: "Falcosidekick" } })),
  },
  {
    cases: /msgformat-execerr/,
    reason: "where the template fails the alert's text is shown, not nothing",
    page: "no-empty-messages.md",
    becomes: (shape, golden) => body(shape, (value) => ({ ...value, text: input(golden).output })),
  },
] satisfies readonly Deliberate[];
