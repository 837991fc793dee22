import { body, type Deliberate, texts } from "../support/deliberate-shape.ts";
import { cutBetweenCharacters, markupPage, numbersShown, unlinked } from "../support/differences.ts";

const entities = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

export default [
  numbersShown,
  cutBetweenCharacters,
  {
    cases: /html-md-meta|k8s-audit|msgformat-(min-fields|mixed-types)/,
    reason: "`&`, `<` and `>` of an alert are text in Slack, not mentions and links",
    page: markupPage,
    becomes: (shape) => body(shape, (value) => texts(value, (text) => entities(unlinked(text)))),
  },
] satisfies readonly Deliberate[];
