/** Differences from falcosidekick that several outputs share; each output says in its own file which it has. */

import { body, type Deliberate, input, texts } from "./deliberate-shape.ts";
import { withNumbers } from "./golden-numbers.ts";
import type { GoldenCase } from "./golden-replay.ts";

export const numbersShown: Deliberate = {
  cases: /^/,
  reason: "numbers, booleans and lists are shown too",
  page: "numbers-kept-in-chat.md",
  becomes: (shape, golden) => withNumbers(shape, golden),
  without: { allfields: false },
};

export const emptyTextMeansNone: Deliberate = {
  cases: /branding-empty/,
  reason: "a text that is set to nothing means none",
  page: "empty-text-means-none.md",
  becomes: (shape) =>
    body(shape, ({ icon_url: _icon, avatar_url: _avatar, ...value }) => ({
      ...value,
      ...(Array.isArray(value.attachments) && {
        attachments: value.attachments.map(({ footer: _, ...attachment }) => attachment),
      }),
    })),
};

export const cutBetweenCharacters: Deliberate = {
  cases: /long-field/,
  reason: "a long field is cut between characters, never within one",
  page: "limits-per-destination.md",
  becomes: (shape) => body(shape, (value) => texts(value, (text) => text.replaceAll("\ufffd[...]", "[...]"))),
};

export const storedWhole: Deliberate = {
  cases: /long-field/,
  reason: "destinations that store the raw event get it whole",
  page: "limits-per-destination.md",
  becomes: (shape, golden) =>
    body(shape, (value) => ({
      ...value,
      output: input(golden).output,
      output_fields: input(golden).output_fields,
    })),
};

/** `output`: the key of the function's output. */
export const throughItsService = (output: string): Deliberate => ({
  cases: /kubecfg/,
  reason: "functions are called through their service, not through the API server",
  page: "functions-by-their-service.md",
  becomes: (shape) => shape,
  off: `${output}.kubeconfig: functions are called through their service: run the hub in their cluster and leave this out; the output ${output} is off`,
});

/** The page on markup, and how an alert's text is kept from being any. */
export const markupPage = "markup-of-alerts-is-text.md";
export const gap = "\u200b";
export const unlinked = (text: string) => text.replaceAll("](", `]${gap}(`);

export const untagged = (text: string) => text.replaceAll(/<(?=(script|b|img|x|t|no|nil|\/script|\/b)\b)/g, `<${gap}`);

export const noLinks: Deliberate = {
  cases: /html-md-meta/,
  reason: "an alert's text is no link",
  page: markupPage,
  becomes: (shape) => body(shape, (value) => texts(value, unlinked)),
};

/** What the outputs that have tags and labels do with lists. */
export const listsToo = {
  cases: /mixed-types/,
  reason: "lists become tags and labels too",
  page: "numbers-kept-in-chat.md",
} as const;

/** Where falcosidekick prints every value as Go does. */
export const listsReadable: Deliberate = {
  cases: /mixed-types/,
  reason: "a list is its items, comma separated",
  page: "numbers-kept-in-chat.md",
  becomes: (shape) =>
    body(shape, (value) =>
      texts(value, (text) =>
        text
          .replaceAll("h.array**: [x 1 <nil>]", "h.array**: x, 1, null")
          .replaceAll("h.array: [x 1 <nil>]", "h.array: x, 1, null"),
      ),
    ),
};

/** Output fields of the alert that are lists. */
export const listsOf = (golden: GoldenCase) =>
  Object.entries(input(golden).output_fields).filter((field): field is [string, unknown[]] => Array.isArray(field[1]));

/** A custom field's value with colons in it, put into the fields that a case was recorded with. */
export const colonsKept = {
  cases: /globals-env/,
  reason: "a custom field's value may hold colons in the environment",
  page: "pairs-split-at-first-colon.md",
} as const;
