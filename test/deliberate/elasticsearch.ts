import { body, type Deliberate } from "../support/deliberate-shape.ts";
import { cutBetweenCharacters, storedWhole } from "../support/differences.ts";

export default [
  cutBetweenCharacters,
  storedWhole,
  {
    cases: /^(?!.*(STARTUP|batch))/,
    reason: "documents go through _bulk, under the alert's own id",
    page: "elasticsearch-always-bulk.md",
    becomes: (shape) => {
      const [index, type] = shape.path.slice(1).split("/");
      const action = { _index: index, ...(type && type !== "_doc" && { _type: type }), _id: "<UUID>" };
      return { ...shape, path: "/_bulk", body: [{ create: action }, shape.body] };
    },
  },
  {
    cases: /batch/,
    reason: "documents have the alert's own id",
    page: "elasticsearch-always-bulk.md",
    becomes: (shape) =>
      body(shape, (lines) => {
        const [action, document] = lines as unknown as [{ create: object }, unknown];
        return [{ create: { ...action.create, _id: "<UUID>" } }, document];
      }),
  },
  {
    cases: /mapping-error/,
    reason: "the document that goes again without the refused field keeps its @timestamp",
    page: "elasticsearch-always-bulk.md",
    becomes: (shape) =>
      body(shape, (lines) => {
        const [action, document] = lines as unknown as [unknown, { time: string }];
        return [action, { ...document, "@timestamp": document.time }];
      }),
  },
  {
    cases: /template-.*STARTUP/,
    reason: "numberofreplicas: 0 is obeyed",
    page: "elasticsearch-index-template.md",
    becomes: (shape, golden) =>
      shape.method !== "PUT" || !golden.config.includes("numberofreplicas: 0")
        ? shape
        : body(shape, (value) => {
            const { template, ...rest } = value as unknown as { template: { settings: object } };
            return { ...rest, template: { ...template, settings: { ...template.settings, number_of_replicas: 0 } } };
          }),
  },
] satisfies readonly Deliberate[];
