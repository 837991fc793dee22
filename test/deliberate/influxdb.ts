import { body, type Deliberate } from "../support/deliberate-shape.ts";
import { cutBetweenCharacters, listsOf, listsToo } from "../support/differences.ts";
import { listed } from "../support/golden-numbers.ts";
import type { GoldenCase } from "../support/golden-replay.ts";

/** The line falcosidekick should have written, from the alert itself. */
const escaped = (value: unknown, golden: GoldenCase): unknown => {
  const alert = JSON.parse(golden.input ?? "{}") as {
    output: string;
    rule: string;
    tags: string[];
    output_fields: Record<string, unknown>;
  };
  const bare = (text: string) => text.replaceAll(/[ \n]/g, "_").replaceAll(/[,=]/g, "\\$&");
  const tags = [
    "events",
    ...Object.entries({
      rule: alert.rule,
      ...alert.output_fields,
      tags: alert.tags.toSorted().join("_"),
    }).flatMap(([name, text]) => (typeof text === "string" && text !== "" ? [`${bare(name)}=${bare(text)}`] : [])),
    ...(value as { tags: string[] }).tags.filter((tag) => /^(priority|source|hostname)=/.test(tag)),
  ];
  return { tags: tags.toSorted(), value: ` value="${alert.output.replaceAll(/["\\]/g, "\\$&")}"` };
};

export default [
  cutBetweenCharacters,
  {
    cases: /^/,
    reason: "line protocol is escaped, and a tag without value is left out",
    page: "influxdb-line-protocol.md",
    becomes: (shape, golden) =>
      body(shape, (value) =>
        /html-md-meta|k8s-audit|mixed-types|newlines/.test(golden.name) ? escaped(value, golden) : value,
      ),
  },
  {
    ...listsToo,
    becomes: (shape, golden) =>
      body(shape, (value) => {
        const own = listsOf(golden).map(([name, items]) => `${name}=${listed(items).join("\\,_")}`);
        return { ...value, tags: [...(value.tags as unknown as readonly string[]), ...own].toSorted() };
      }),
  },
] satisfies readonly Deliberate[];
