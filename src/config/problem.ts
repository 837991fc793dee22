import { envName } from "./environment.ts";
import type { Problem } from "./types.ts";

/** Where a value stands: a place in the file, an environment variable, or a flag. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly env?: string;
  readonly flag?: true;
}

/**
 * Collects findings; the order is the order of discovery. `error`: to start would lose or leak. `off`: one output (by its
 * id) or one option (no id) is off, the rest works. `warn`: it works, but not as its author may think.
 */
export interface Problems {
  error(key: string, message: string, at?: Place): void;
  off(output: string | undefined, key: string, message: string, at?: Place): void;
  warn(key: string, message: string, at?: Place): void;
  /** A file made for another machine asks for what this one has not, as it comes out of the box. */
  info(key: string, message: string, at?: Place): void;
  list(): readonly Problem[];
}

export const collectProblems = (): Problems => {
  const found: Problem[] = [];
  const add = (kind: Pick<Problem, "severity" | "off">, key: string, message: string, at: Place = {}): void => {
    const { file, line, column } = at;
    found.push({
      ...kind,
      key: at.env ?? key,
      message,
      ...(file !== undefined && { file }),
      ...(line !== undefined && { line }),
      ...(column !== undefined && { column }),
    });
  };
  return {
    error: (key, message, at) => add({ severity: "error" }, key, message, at),
    off: (output, key, message, at) =>
      add({ severity: "warning", off: output === undefined ? {} : { output } }, key, message, at),
    warn: (key, message, at) => add({ severity: "warning" }, key, message, at),
    info: (key, message, at) => add({ severity: "info" }, key, message, at),
    list: () => found,
  };
};

/**
 * Where a key stands; where it does not, the place of what makes it needed: a variable there would be blamed for another's
 * fault, so the key's own is named.
 */
export const placeOf = (key: string, own: Place | undefined, asking: Place | undefined): Place | undefined =>
  own ?? (asking?.env === undefined ? asking : { env: envName(key) });

/** `file:line:column: key: message`, without the parts that are not known. */
export const formatProblem = (p: Problem): string => {
  const place = p.file === undefined ? "" : `${[p.file, p.line, p.column].filter((x) => x !== undefined).join(":")}: `;
  return `${place}${p.key === "" ? "" : `${p.key}: `}${p.message}`;
};
