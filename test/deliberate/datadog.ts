import { body, cut, type Deliberate, texts } from "../support/deliberate-shape.ts";
import { listsOf, listsToo, markupPage, unlinked } from "../support/differences.ts";
import { listed } from "../support/golden-numbers.ts";

export default [
  {
    cases: /long-output/,
    reason: "Datadog takes 4000 characters of text",
    page: "limits-per-destination.md",
    becomes: (shape) => body(shape, (value) => texts(value, (text) => cut(text, 4000))),
  },
  {
    cases: /^/,
    reason: "the API key travels in a header, where no proxy logs it",
    page: "datadog-key-in-header.md",
    becomes: (shape) => ({
      ...shape,
      path: shape.path.replace("//", "/"),
      query: "",
      headers: { ...shape.headers, "dd-api-key": "ddkey" },
    }),
  },
  {
    ...listsToo,
    becomes: (shape, golden) =>
      body(shape, (value) => {
        const tags = value.tags as unknown as readonly string[];
        const own = listsOf(golden).flatMap(([name, items]) => listed(items).map((item) => `${name}:${item}`));
        const at = tags.findIndex((tag) => tag.startsWith("source:"));
        return { ...value, tags: [...tags.slice(0, at), ...own, ...tags.slice(at)] };
      }),
  },
  {
    cases: /html-md-meta/,
    reason: "an alert's text is no link",
    page: markupPage,
    becomes: (shape) =>
      body(shape, (value) => ({
        ...value,
        title: unlinked(String(value.title)),
        text: unlinked(String(value.text)),
      })),
  },
] satisfies readonly Deliberate[];
