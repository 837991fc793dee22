import type { Deliberate } from "../support/deliberate-shape.ts";
import { cutBetweenCharacters, emptyTextMeansNone, noLinks, numbersShown } from "../support/differences.ts";

export default [numbersShown, emptyTextMeansNone, cutBetweenCharacters, noLinks] satisfies readonly Deliberate[];
