import { body, type Deliberate } from "../support/deliberate-shape.ts";
import { colonsKept } from "../support/differences.ts";

export default [
  {
    ...colonsKept,
    becomes: (shape) =>
      body(shape, (value) => {
        const [stream] = value.streams as unknown as [{ stream: object }];
        return { streams: [{ ...stream, stream: { ...stream.stream, x: "y:z" } }] };
      }),
  },
  {
    cases: /headers-env/,
    reason: "a header's value may hold colons in the environment too",
    page: "pairs-split-at-first-colon.md",
    becomes: (shape) => ({ ...shape, headers: { ...shape.headers, "x-b": "b:c" } }),
  },
] satisfies readonly Deliberate[];
