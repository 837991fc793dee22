import type { Deliberate } from "../support/deliberate-shape.ts";
import { storedWhole } from "../support/differences.ts";

export default [
  storedWhole,
  {
    cases: /STARTUP/,
    reason: "the requests that make the index bear the custom headers too",
    page: "quickwit-index.md",
    becomes: (shape) => ({ ...shape, headers: { ...shape.headers, "x-q": "1" } }),
  },
] satisfies readonly Deliberate[];
