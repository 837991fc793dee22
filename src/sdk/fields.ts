import { z } from "zod";

/**
 * Configuration fields of outputs and sources. One declaration gives parsing, the environment name, the JSON schema, the
 * example file and the documentation. Keys are falcosidekick's: lower case, unbroken (`webhookurl`); a dot nests
 * (`"batching.enabled"` is read from `batching: { enabled: … }` and found under its dotted name).
 */
export interface FieldMeta {
  /** The value is masked wherever configuration is shown, and `<KEY>_FILE` is read. */
  readonly secret?: boolean;
  /** Maps and lists as environment variables: `k:v,k:v` split at the first colon, or `a,b`. */
  readonly pairs?: boolean;
  readonly list?: boolean;
  /** Pairs: an item without a colon is a key with an empty text (else it is left out). */
  readonly bare?: boolean;
  /** Pairs: keys keep their case in YAML too (else lower case, as falcosidekick reads them). */
  readonly exact?: boolean;
  /** The blanks at its ends belong to the text (templates): any other text is trimmed. */
  readonly raw?: boolean;
  /** The text holds items with commas between them: YAML may write them as a list. */
  readonly commas?: boolean;
  /** The scheme of a URL that is written without one. */
  readonly assumed?: string;
  /** Schemes that a URL may have; a text that is not empty must be such a URL. */
  readonly schemes?: readonly string[];
  /** Shown in the documentation in place of the default. */
  readonly shown?: string;
  /** Lets in only who shows or was given this: a key that is set and holds nothing is a fault, never an open door. */
  readonly guard?: boolean;
}

const metas = z.registry<FieldMeta>();

/** What was said of a field; survives `.refine`, `.optional` and the like. */
export const fieldMeta = (schema: z.ZodType): FieldMeta => {
  const inner = "innerType" in schema.def ? schema.def.innerType : undefined;
  return metas.get(schema) ?? (inner instanceof z.ZodType ? fieldMeta(inner) : {});
};

const mark = <T extends z.ZodType>(schema: T, meta: FieldMeta): T => {
  metas.add(schema, meta);
  return schema;
};

/** A text key; `about` is one sentence. `raw` and `commas`: see FieldMeta. */
export const text = (about: string, defaultValue = "", options: { raw?: boolean; commas?: boolean } = {}) =>
  mark(z.string().default(defaultValue).describe(about), options);
/** A key whose value must never be shown: tokens, passwords, URLs that carry a key. */
export const secret = (about: string) => mark(z.string().default("").describe(about), { secret: true });

/** What a client can put behind `Bearer`. */
const shownToken = z.string().regex(/^[\x21-\x7e]*$/, "a bearer token has no blanks and no letters beyond ASCII");

/** A bearer token that clients must show; absent: none is asked for. */
export const token = (about: string) =>
  mark(shownToken.default("").describe(about), { secret: true, guard: true, shown: "none is asked for" });
/** Such tokens by a name of one's choice. */
export const tokens = (about: string) =>
  mark(
    z
      .record(
        z.string(),
        shownToken.refine((v) => v !== "", "a name has no token"),
      )
      .default({})
      .describe(about),
    {
      pairs: true,
      secret: true,
      exact: true,
      guard: true,
      shown: "none is asked for",
    },
  );
/** A file without which everybody would be let in. */
export const guardFile = (about: string) =>
  mark(z.string().default("").describe(about), { guard: true, shown: "none is asked for" });

/** true or false; words such as `yes` and `0` are taken as falcosidekick does. */
export const flag = (about: string, defaultValue = false) =>
  mark(z.boolean().default(defaultValue).describe(about), {});
/** A whole number between `min` and `max`, both included. */
export const int = (about: string, defaultValue: number, min = 0, max = Number.MAX_SAFE_INTEGER) =>
  mark(z.int().min(min).max(max).default(defaultValue).describe(about), {});
/** A whole number that may be left unset; `shown` says what happens then. */
export const maybeInt = (about: string, shown: string, min = 0, max = Number.MAX_SAFE_INTEGER) =>
  mark(z.int().min(min).max(max).optional().describe(about), { shown });
/** One of a few words; the parsed value's type is their union. Text of another case is taken where that is unambiguous. */
export const choice = <const T extends readonly [string, ...string[]]>(
  about: string,
  options: T,
  defaultValue: NoInfer<T[number]>,
) => mark(z.enum(options).default(defaultValue).describe(about), {});
/** A map of text to text; in the environment `k:v,k:v`, each item split at its first colon, or a JSON object. */
export const pairs = (about: string, options: { secret?: boolean; bare?: boolean; exact?: boolean } = {}) =>
  mark(z.record(z.string(), z.string()).default({}).describe(about), { pairs: true, ...options });
/** A list of text; in the environment comma separated, blanks around items removed. */
export const list = (about: string) => mark(z.array(z.string()).default([]).describe(about), { list: true });

const hasScheme = (value: string, schemes: readonly string[]): boolean => {
  const url = URL.parse(value);
  return url !== null && url.hostname !== "" && schemes.includes(url.protocol.slice(0, -1));
};

/** `nats://a:4222,b:4222` as two; undefined stands for what is none. A comma before an `@` is one of a password. */
export const severalUrls = (text: string): readonly (URL | undefined)[] => {
  const [first = "", ...rest] = text.split(/,(?=\s*[a-z]+:\/\/)/i).flatMap((part) => {
    const host = part.lastIndexOf("@") + 1;
    const [head = "", ...more] = part.slice(host).split(",");
    return [part.slice(0, host) + head, ...more];
  });
  const scheme = /^\s*([a-z]+:\/\/)/i.exec(first)?.[1] ?? "";
  return [first, ...rest].map((one) => {
    const url = URL.parse(one.includes("://") ? one.trim() : scheme + one.trim());
    return url === null || url.hostname === "" ? undefined : url;
  });
};

/** A warning of a key whose value is none of those that it knows; `so`: what follows. */
export const oddValue = (key: string, value: string, known: readonly string[], so: string): readonly string[] =>
  value === "" || known.includes(value) ? [] : [`${key}: is none of ${known.join(", ")}: ${so}`];

const needsScheme = (schemes: readonly string[]): string =>
  `is not a URL that starts with ${schemes.join(":// or ")}://`;

/** A list of HTTP URLs. */
export const urls = (about: string) => {
  const schemes = ["http", "https"];
  const one = z.string().refine((v) => hasScheme(v, schemes), needsScheme(schemes));
  return mark(z.array(one).default([]).describe(about), { list: true, schemes });
};

/** A URL: empty, or with one of the schemes and a host. */
export const url = (
  about: string,
  options: {
    secret?: boolean;
    default?: string;
    schemes?: readonly [string, ...string[]];
    assumed?: string;
    /** Several may stand there, with commas; those behind the first may lack their scheme. */
    several?: boolean;
  } = {},
) => {
  const schemes = options.schemes ?? ["http", "https"];
  const fits = (text: string): boolean =>
    options.several
      ? severalUrls(text).every((one) => one !== undefined && schemes.includes(one.protocol.slice(0, -1)))
      : hasScheme(text, schemes);
  return mark(
    z
      .string()
      .refine((v) => v === "" || fits(v), needsScheme(schemes))
      .default(options.default ?? "")
      .describe(about),
    {
      schemes,
      ...(options.secret && { secret: true }),
      ...(options.assumed !== undefined && { assumed: options.assumed }),
    },
  );
};

const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };

/** Milliseconds of a duration as Go writes it (`500ms`, `1m30s`, `0`); a day is `24h`. */
export const parseDuration = (value: string): number | undefined => {
  if (value === "0") return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(value)) return undefined;
  let ms = 0;
  for (const [, n, unit] of value.matchAll(/([\d.]+)([a-zµ]+)/g)) ms += Number(n) * (units[unit ?? ""] ?? 0);
  return ms;
};

const duringText = (about: string) =>
  z
    .string()
    .refine((v) => parseDuration(v) !== undefined, "is not a duration such as 500ms, 10s or 5m")
    .transform((v) => parseDuration(v) ?? 0)
    .describe(about);

/** A duration with its unit (`10s`); the parsed value is milliseconds. */
export const duration = (about: string, defaultValue: string) =>
  mark(duringText(about).prefault(defaultValue).describe(about), {});
/** A duration that may be left unset; `shown` says what happens then. */
export const maybeDuration = (about: string, shown: string) =>
  mark(duringText(about).optional().describe(about), { shown });

/** A table of fields: dotted key → what may stand there. */
export type Fields = Readonly<Record<string, z.ZodType>>;
/** The parsed values of a table of fields: what `open`, `request` and the hub read. */
export type Config<S extends Fields> = { readonly [K in keyof S]: z.output<S[K]> };

/** One value for each field; `value` gives what the field's own schema parsed. */
export const configOf = <S extends Fields>(fields: S, value: (key: string, schema: z.ZodType) => unknown): Config<S> =>
  // The one place where a walk over a table becomes the type that the table has: no type says so of a loop.
  Object.fromEntries(Object.entries(fields).map(([key, schema]) => [key, value(key, schema)])) as Config<S>;
