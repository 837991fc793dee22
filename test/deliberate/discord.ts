import type { Deliberate } from "../support/deliberate-shape.ts";
import { withNumbers } from "../support/golden-numbers.ts";

export default [
  {
    outputs: ["discord"],
    cases: /^/,
    reason: "numbers, booleans and lists are shown too",
    page: "numbers-kept-in-chat.md",
    becomes: withNumbers,
    without: { allfields: false },
  },
] satisfies readonly Deliberate[];
