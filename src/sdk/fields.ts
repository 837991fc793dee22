import { z } from "zod";

/**
 * Configuration fields of outputs and sources. One declaration gives parsing, the environment name, the JSON schema, the
 * example file and the documentation. Keys are falcosidekick's: lower case, unbroken (`webhookurl`).
 */
export interface FieldMeta {
  /** The value is masked wherever configuration is shown, and `<KEY>_FILE` is read. */
  readonly secret?: boolean;
  /** Maps and lists as environment variables: `k:v,k:v` split at the first colon, or `a,b`. */
  readonly pairs?: boolean;
  readonly list?: boolean;
  /** Shown in the documentation in place of the default. */
  readonly shown?: string;
}

const metas = new WeakMap<z.ZodType, FieldMeta>();
export const fieldMeta = (schema: z.ZodType): FieldMeta => metas.get(schema) ?? {};

const mark = <T extends z.ZodType>(schema: T, meta: FieldMeta): T => {
  metas.set(schema, meta);
  return schema;
};

/** A text key; `about` is one sentence. */
export const text = (about: string, standard = "") => mark(z.string().default(standard).describe(about), {});
/** A key whose value must never be shown: tokens, passwords, URLs that carry a key. */
export const secret = (about: string) => mark(z.string().default("").describe(about), { secret: true });
export const flag = (about: string, standard = false) => mark(z.boolean().default(standard).describe(about), {});
export const int = (about: string, standard: number, min = 0, max = Number.MAX_SAFE_INTEGER) =>
  mark(z.int().min(min).max(max).default(standard).describe(about), {});
export const choice = <const T extends readonly [string, ...string[]]>(
  about: string,
  options: T,
  standard: T[number],
) =>
  mark(
    z
      .enum(options as unknown as [string, ...string[]])
      .default(standard)
      .describe(about),
    {},
  ) as unknown as z.ZodDefault<z.ZodType<T[number]>>;
/** A map of text to text; in the environment `k:v,k:v`, each item split at its first colon. */
export const pairs = (about: string, options: { secret?: boolean } = {}) =>
  mark(z.record(z.string(), z.string()).default({}).describe(about), { pairs: true, ...options });
/** A list of text; in the environment comma separated, blanks around items removed. */
export const list = (about: string) => mark(z.array(z.string()).default([]).describe(about), { list: true });

export type Fields = Readonly<Record<string, z.ZodType>>;
export type Config<S extends Fields> = { readonly [K in keyof S]: z.output<S[K]> };
