import type { Deliberate } from "../support/deliberate-shape.ts";
import { storedWhole } from "../support/differences.ts";

export default [storedWhole] satisfies readonly Deliberate[];
