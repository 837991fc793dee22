import type { Deliberate } from "../support/deliberate-shape.ts";
import { cutBetweenCharacters, listsReadable, noLinks } from "../support/differences.ts";

export default [noLinks, cutBetweenCharacters, listsReadable] satisfies readonly Deliberate[];
