import { z } from "zod";
import { envName } from "../config/environment.ts";
import { type Fields, fieldMeta } from "../sdk/fields.ts";

/** One key of the configuration as people ask for it. */
export interface Parameter {
  /** Within its output: `webhookurl`, `batching.enabled`. */
  readonly key: string;
  readonly env: string;
  /** `text`, `url`, `number`, `flag`, `duration`, `rate`, `list`, `map`, or the allowed texts: `a | b`. */
  readonly type: string;
  /** As it would be written; what happens without a value where there is none to write; absent: nothing. */
  readonly default?: unknown;
  readonly secret: boolean;
  /** One sentence. */
  readonly about: string;
}

interface Shape {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
}

/** `prefix` is the output's name with a dot; `<OUTPUT>.` where it stands for any. */
export const parametersOf = (fields: Fields, prefix: string): readonly Parameter[] =>
  Object.entries(fields).map(([key, schema]) => {
    const shape = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Shape;
    const byDefault = fieldMeta(schema).shown ?? shape.default;
    return {
      key,
      env: prefix.startsWith("<") ? `<OUTPUT>_${envName(key)}` : envName(prefix + key),
      type: typeOf(schema, shape),
      ...(!isNothing(byDefault) && { default: byDefault }),
      secret: fieldMeta(schema).secret ?? false,
      about: schema.description ?? "",
    };
  });

const isNothing = (value: unknown): boolean =>
  value === undefined || value === "" || (typeof value === "object" && Object.keys(value ?? {}).length === 0);

const plainTypes: Readonly<Record<string, string>> = {
  boolean: "flag",
  integer: "number",
  number: "number",
  array: "list",
  object: "map",
};

/** What is written with a unit is text to a schema: only reading a value tells. */
const typeOf = (schema: z.ZodType, shape: Shape): string => {
  const { pairs, list, schemes } = fieldMeta(schema);
  if (shape.enum) return shape.enum.join(" | ");
  if (pairs) return "map";
  if (list) return "list";
  if (schemes) return "url";
  if (schema.safeParse("1m30s").data === 90_000) return "duration";
  if (schema.safeParse("120/m").data === 2) return "rate";
  return plainTypes[shape.type ?? ""] ?? "text";
};
