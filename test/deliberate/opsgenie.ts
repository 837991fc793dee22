import { body, cut, type Deliberate } from "../support/deliberate-shape.ts";
import { cutBetweenCharacters, numbersShown } from "../support/differences.ts";

export default [
  numbersShown,
  cutBetweenCharacters,
  {
    cases: /^/,
    reason: "the alias makes a repeated delivery the same alert",
    page: "opsgenie-alias-and-length.md",
    becomes: (shape) => body(shape, (value) => ({ ...value, alias: "<UUID>" })),
  },
  {
    cases: /^/,
    reason: "Opsgenie refuses messages above 130 characters: the whole text moves to the description",
    page: "opsgenie-alias-and-length.md",
    becomes: (shape) =>
      body(shape, (value) => {
        const { message, description } = value as unknown as { message: string; description: string };
        if (message.length <= 130) return value;
        return { ...value, message: cut(message, 130), description: cut(`${description}\n${message}`, 15_000) };
      }),
  },
] satisfies readonly Deliberate[];
