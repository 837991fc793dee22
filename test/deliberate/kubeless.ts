import type { Deliberate } from "../support/deliberate-shape.ts";
import { throughItsService } from "../support/differences.ts";

export default [throughItsService("kubeless")] satisfies readonly Deliberate[];
