import type { Deliberate } from "../support/deliberate-shape.ts";
import { cutBetweenCharacters, storedWhole } from "../support/differences.ts";

export default [cutBetweenCharacters, storedWhole] satisfies readonly Deliberate[];
