import { body, type Deliberate } from "../support/deliberate-shape.ts";

export default [
  {
    cases: /^/,
    reason: "documents go in batches, under the alert's own id",
    page: "elasticsearch-always-bulk.md",
    becomes: (shape) => ({
      ...body(shape, (value) => ({ _id: "<UUID>", ...value })),
      path: shape.path.replace("/_doc", "/_multi"),
    }),
  },
] satisfies readonly Deliberate[];
