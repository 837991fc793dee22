import { body, cut, type Deliberate, texts } from "../support/deliberate-shape.ts";

const escaped = (text: string) => text.replaceAll(/[[\]]/g, "\\$&");

export default [
  {
    cases: /long-field/,
    reason: "a long field is cut between characters, never within one",
    page: "limits-per-destination.md",
    becomes: (shape) => body(shape, (value) => texts(value, (text) => text.replaceAll("\ufffd\\[", "\\["))),
  },
  {
    cases: /newlines-control/,
    reason: "a backslash is a character of the alert, not of the markup",
    page: "markup-of-alerts-is-text.md",
    becomes: (shape) => body(shape, (value) => texts(value, (text) => text.replaceAll("x\\y", "x\\\\y"))),
  },
  {
    cases: /long/,
    reason: "Telegram refuses messages above 4096 characters",
    page: "limits-per-destination.md",
    becomes: (shape) =>
      body(shape, (value) =>
        texts(value, (text) => {
          const [head, output] = text.split(/(?<=\*\*Output\*\*: )/);
          if (head === undefined || output === undefined) return text;
          return `${head}${escaped(cut(output.trimEnd().replaceAll(/\\(.)/g, "$1"), 2000)).replaceAll(/[.=()-]/g, "\\$&")}\n`;
        }),
      ),
  },
] satisfies readonly Deliberate[];
