import type { Deliberate } from "../support/deliberate-shape.ts";

export default [
  {
    cases: /^/,
    reason: "requests name the hub, not the library",
    page: "cloudevents.md",
    becomes: (shape) => ({ ...shape, headers: { ...shape.headers, "user-agent": "Falcosidekick" } }),
  },
] satisfies readonly Deliberate[];
