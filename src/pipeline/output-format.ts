import type { Priority } from "../sdk/alert.ts";

// The text Falco writes by default: `10:20:30.123456789: Warning …`. Other time formats are left alone.
const falcoText = /^[0-9:]+\.[0-9]+: (?:debug|informational|notice|warning|error|critical|alert|emergency) /i;

export interface FormatParts {
  readonly output: string;
  readonly priority: Priority;
  readonly tags: readonly string[];
  readonly custom: readonly (readonly [string, string])[];
  readonly templated: readonly (readonly [string, string])[];
}

/** The output rewritten by `outputfieldformat`; texts that are not in Falco's default shape stay as they are. */
export const formatOutput = (format: string, parts: FormatParts): string => {
  if (!falcoText.test(parts.output)) return parts.output;
  const [stamp = "", , ...rest] = parts.output.split(" ");
  const values: Record<string, string> = {
    timestamp: stamp.replace(/:$/, ""),
    priority: parts.priority,
    output: rest.join(" "),
    custom_fields: pairs(parts.custom),
    templated_fields: pairs(parts.templated),
    tags: parts.tags.join(","),
  };
  const text = format.replaceAll(token, (_, name: string) => values[name] ?? "");
  return text
    .replace(/ $/, "")
    .replace(/\( \)$/, "")
    .replace(/\(\)$/, "")
    .replace(/ $/, "");
};

const token = /<(timestamp|priority|output|custom_fields|templated_fields|tags)>/g;

const pairs = (fields: readonly (readonly [string, string])[]): string =>
  fields.map(([name, value]) => `${name}=${value}`).join(" ");
