import { body, type Deliberate, texts } from "../support/deliberate-shape.ts";

const page = "markup-of-alerts-is-text.md";
const gap = "\u200b";
const unlinked = (text: string) => text.replaceAll("](", `]${gap}(`);
const entities = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const untagged = (text: string) => text.replaceAll(/<(?=(script|b|img|x|t|\/script|\/b)\b)/g, `<${gap}`);

export default [
  {
    outputs: ["slack"],
    cases: /html-md-meta|k8s-audit|msgformat-(min-fields|mixed-types)/,
    reason: "`&`, `<` and `>` of an alert are text in Slack, not mentions and links",
    page,
    becomes: (shape) => body(shape, (value) => texts(value, (text) => entities(unlinked(text)))),
  },
  {
    outputs: ["mattermost", "rocketchat"],
    cases: /html-md-meta/,
    reason: "an alert's text is no link",
    page,
    becomes: (shape) => body(shape, (value) => texts(value, unlinked)),
  },
  {
    outputs: ["discord"],
    cases: /^/,
    reason: "an alert mentions nobody",
    page,
    becomes: (shape) => body(shape, (value) => ({ ...value, allowed_mentions: { parse: [] } })),
  },
  {
    outputs: ["teams", "opsgenie"],
    cases: /html-md-meta/,
    reason: "an alert's text is no link and no tag",
    page,
    becomes: (shape) => body(shape, (value) => texts(value, (text) => untagged(unlinked(text)))),
  },
  {
    outputs: ["datadog"],
    cases: /html-md-meta/,
    reason: "an alert's text is no link",
    page,
    becomes: (shape) =>
      body(shape, (value) => ({
        ...value,
        title: unlinked(String(value.title)),
        text: unlinked(String(value.text)),
      })),
  },
] satisfies readonly Deliberate[];
