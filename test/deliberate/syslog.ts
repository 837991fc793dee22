import { type Deliberate, input } from "../support/deliberate-shape.ts";
import { goldenCases } from "../support/golden-replay.ts";

const escaped = (text: string): string =>
  text.replaceAll(/[\\=]/g, "\\$&").replaceAll("\r", "\\r").replaceAll("\n", "\\n");

const extension =
  /^(.*?\|uuid=)(.*?)( start=)(.*?)( msg=)(.*)( source=)(.*?)((?: hostname=\S+)?)( outputfields=)(.*)( tags=)(.*)\n$/s;

/** `name:value` in the order of the names; falcosidekick's is random. */
const sortedFields = (text: string, names: readonly string[]): string => {
  const whole = ` ${text}`;
  const starts = names.map((name) => whole.indexOf(` ${name}:`)).toSorted((a, b) => a - b);
  const parts = starts.map((start, i) => whole.slice(start + 1, starts[i + 1]));
  return parts.toSorted().join(" ");
};

export default [
  {
    cases: /cef/,
    reason: "CEF is escaped, and its fields come in their order",
    page: "syslog.md",
    becomes: (shape, golden) => ({
      ...shape,
      body: String(shape.body).replace(extension, (...groups: string[]) => {
        const [, head, uuid, start, time, msg, output = "", source, from, host, fields, listed, tags, names] = groups;
        const sorted = escaped(sortedFields(listed ?? "", Object.keys(input(golden).output_fields)));
        return `${head}${uuid}${start}${time}${msg}${escaped(output)}${source}${from}${host}${fields}${sorted}${tags}${names}\n`;
      }),
    }),
  },
  {
    cases: /long-field/,
    reason: "destinations that store the raw event get it whole",
    page: "limits-per-destination.md",
    becomes: (shape, golden) => {
      const [head, raw = ""] = String(shape.body).split(/(?<=\]: )/);
      const { output, output_fields } = input(golden);
      const fields = Object.fromEntries(Object.entries(output_fields).toSorted(([a], [b]) => (a < b ? -1 : 1)));
      return { ...shape, body: `${head}${JSON.stringify({ ...JSON.parse(raw), output, output_fields: fields })}\n` };
    },
  },
  {
    cases: /NOTHING/,
    reason: "the protocol is taken in any case",
    page: "syslog.md",
    becomes: (shape) => shape,
    adds: () =>
      goldenCases("syslog").find(({ name }) => name === "061-syslog-tcp-lower-newlines-control")?.requests ?? [],
  },
] satisfies readonly Deliberate[];
