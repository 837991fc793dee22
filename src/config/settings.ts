import type { z } from "zod";
import { type Config, configOf, type Fields, fieldMeta } from "../sdk/fields.ts";
import { type Coerced, coerceText, coerceTree, kindOf } from "./coerce.ts";
import { type Environment, isServiceLink, sharedNames } from "./environment.ts";
import { unsetFault } from "./expand.ts";
import { collectProblems, type Place, type Problems } from "./problem.ts";
import type { Tree } from "./tree.ts";

/** Where the values of a set of fields may stand. */
export interface Lookup {
  /** Path that messages show before the field's key: `slack[1].`. */
  readonly label: string;
  /** The value in the file, by the field's key in lower case. */
  readonly inFile: (key: string) => Tree | undefined;
  /** Variable names that win over the file, the first that is set counts; and names that only fill a gap. */
  readonly envOver: (key: string) => readonly string[];
  readonly envUnder?: (key: string) => readonly string[];
  /** A value in the file for keys that were found nowhere else (`aws.region` for `aws.sqs`). */
  readonly fileUnder?: (key: string) => Tree | undefined;
}

export interface Reader {
  readonly env: Environment;
  /** Reads a text file; throws when it cannot. */
  readonly read: (path: string) => string;
  readonly problems: Problems;
}

/** A value that is not what its key wants: its reader says what follows from it. */
export interface Fault {
  readonly key: string;
  readonly message: string;
  readonly at?: Place | undefined;
}

export interface Settings<S extends Fields = Fields> {
  /** Parsed by the fields' schemas, defaults filled in; a faulty value is its default. */
  readonly values: Config<S>;
  /** Where each value came from; absent: the default. */
  readonly places: ReadonlyMap<string, Place>;
  readonly faults: readonly Fault[];
  /** Files that secrets were read from, by key. */
  readonly files: Readonly<Record<string, string>>;
}

interface Candidate {
  readonly at: Place;
  readonly coerced: Coerced;
  /** The file that the value stands in alone. */
  readonly path?: string;
}

/** Reads fields: flag over environment over file over default. Remarks are noted; faults are handed on. */
export const readFields = <S extends Fields>(fields: S, lookup: Lookup, reader: Reader): Settings<S> => {
  const places = new Map<string, Place>();
  const faults: Fault[] = [];
  const files: Record<string, string> = {};
  const values = configOf(fields, (key, schema) => {
    const found = find(key, schema, lookup, reader);
    let value: unknown;
    if (found) {
      if ("fault" in found.coerced) faults.push({ key, message: found.coerced.fault, at: found.at });
      else {
        value = found.coerced.value;
        // What is left out of a guard is somebody who cannot come in, or a door without one.
        const say = fieldMeta(schema).guard ? reader.problems.error : reader.problems.warn;
        for (const note of found.coerced.notes ?? []) say(lookup.label + key, note, found.at);
      }
    }
    if (found && value !== undefined) places.set(key, found.at);
    if (found?.path !== undefined) files[key] = found.path;
    const parsed = schema.safeParse(value);
    if (parsed.success) {
      const open = fieldMeta(schema).guard && isNothing(parsed.data) ? whereSet(key, lookup, reader) : undefined;
      if (open && !(found && "fault" in found.coerced)) faults.push({ key, message: opensTheDoor, at: open });
      return parsed.data;
    }
    for (const issue of parsed.error.issues) faults.push({ key, message: said(issue), at: found?.at });
    return schema.safeParse(undefined).data;
  });
  return { values, places, faults, files };
};

/** As `readFields`, for keys whose faults stop the start. */
export const readStrictly = <S extends Fields>(fields: S, lookup: Lookup, reader: Reader): Settings<S> => {
  const settings = readFields(fields, lookup, reader);
  for (const { key, message, at } of settings.faults) reader.problems.error(lookup.label + key, message, at);
  return settings;
};

const opensTheDoor = "is set and holds nothing, which would let everybody in; take it away for that";

const isNothing = (value: unknown): boolean =>
  typeof value === "string" ? value.trim() === "" : Object.keys(Object(value)).length === 0;

/** Where the key stands in any spelling, whatever it holds. */
const whereSet = (key: string, lookup: Lookup, reader: Reader): Place | undefined => {
  const tree = lookup.inFile(key) ?? lookup.inFile(`${key}_file`) ?? lookup.fileUnder?.(key);
  const names = [...lookup.envOver(key), ...(lookup.envUnder?.(key) ?? [])].flatMap((name) => [name, `${name}_FILE`]);
  const name = names.find((one) => reader.env[one] !== undefined);
  return tree?.at ?? (name === undefined ? undefined : { env: name });
};

const find = (key: string, schema: z.ZodType, lookup: Lookup, reader: Reader): Candidate | undefined => {
  const inFile = (tree: Tree | undefined): Candidate | undefined =>
    tree && !(tree.kind === "leaf" && tree.value === null)
      ? { at: tree.at, coerced: coerceTree(schema, tree) }
      : undefined;
  const over = lookup.inFile(key);
  return (
    (over?.at.flag ? inFile(over) : undefined) ??
    fromEnv(lookup.envOver(key), schema, reader) ??
    inFile(over) ??
    fromNamedFile(schema, lookup.inFile(`${key}_file`), lookup.label + key, reader) ??
    fromEnv(lookup.envUnder?.(key) ?? [], schema, reader) ??
    inFile(lookup.fileUnder?.(key))
  );
};

/** An empty variable counts as not set; `<NAME>_FILE` is read for secrets, the variable itself wins. */
const fromEnv = (names: readonly string[], schema: z.ZodType, reader: Reader): Candidate | undefined => {
  for (const name of names) {
    const at: Place = { env: name };
    const text = reader.env[name];
    const path = fieldMeta(schema).secret ? reader.env[`${name}_FILE`] : undefined;
    if (text && kindOf(schema) !== "pairs" && isServiceLink(name, text)) continue;
    if (text && sharedNames.has(name) && !fits(schema, text)) continue;
    if (text && path) reader.problems.warn(name, `wins over ${name}_FILE, which is set too`, at);
    if (text) return { at, coerced: coerceText(schema, text) };
    if (path) return { at: { env: `${name}_FILE` }, coerced: fromFile(schema, path, reader), path };
  }
  return undefined;
};

const fits = (schema: z.ZodType, text: string): boolean => {
  const coerced = coerceText(schema, text);
  return "value" in coerced && schema.safeParse(coerced.value).success;
};

const fromNamedFile = (
  schema: z.ZodType,
  tree: Tree | undefined,
  label: string,
  reader: Reader,
): Candidate | undefined => {
  if (!tree || !fieldMeta(schema).secret || (tree.kind === "leaf" && !tree.value && !tree.unset)) return undefined;
  if (tree.kind === "leaf") {
    const { at, unset } = tree;
    if (unset !== undefined) return { at, coerced: { fault: unsetFault(unset) } };
    const path = String(tree.value).trim();
    return { at, coerced: fromFile(schema, path, reader), path };
  }
  reader.problems.error(`${label}_file`, "must be the path of a file", tree.at);
  return undefined;
};

const fromFile = (schema: z.ZodType, named: string, reader: Reader): Coerced => {
  const path = named.trim();
  try {
    return secretIn(schema, reader.read(path), path);
  } catch (error) {
    return { fault: `the file cannot be read (${errorCode(error)}): ${path}` };
  }
};

/** The values of secrets as their `files` (by key) hold them now. Throws with the key and what is wrong; shows nothing of a value. */
export const rereadSecrets = (
  fields: Fields,
  files: Readonly<Record<string, string>>,
  read: (path: string) => string,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([key, schema]) => {
      const path = files[key];
      return path === undefined ? [] : [[key, rereadSecret(key, schema, path, read)]];
    }),
  );

const rereadSecret = (key: string, schema: z.ZodType, path: string, read: (path: string) => string): unknown => {
  const coerced = fromFile(schema, path, { env: {}, read, problems: collectProblems() });
  const parsed = "fault" in coerced ? undefined : schema.safeParse(coerced.value);
  const fault =
    "fault" in coerced
      ? coerced.fault
      : (coerced.notes?.[0] ??
        parsed?.error?.issues.map(said)[0] ??
        (isNothing(parsed?.data) ? "is empty" : undefined));
  if (fault !== undefined) throw new Error(`${key}: ${fault}`);
  return parsed?.data;
};

/** The text of a mounted secret, without the line break that editors leave at its end. */
const secretIn = (schema: z.ZodType, text: string, path: string): Coerced => {
  if (text.trim() === "") return { fault: `the file is empty: ${path}` };
  return coerceText(schema, text.replace(/[\r\n]+$/, ""));
};

export const errorCode = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "error";

const said = (issue: z.core.$ZodIssue): string => {
  if (issue.code === "invalid_value") return `must be one of ${issue.values.map(String).join(", ")}`;
  if (issue.code === "too_small") return `must be ${issue.minimum} or more`;
  if (issue.code === "too_big") return `must be ${issue.maximum} or less`;
  if (issue.code === "invalid_type" && issue.expected === "int") return "must be a whole number";
  return issue.message;
};
