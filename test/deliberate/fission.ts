import type { Deliberate } from "../support/deliberate-shape.ts";
import { storedWhole, throughItsService } from "../support/differences.ts";

export default [storedWhole, throughItsService("fission")] satisfies readonly Deliberate[];
