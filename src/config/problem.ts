import type { Problem } from "./types.ts";

/** Where a value stands: a place in the file, an environment variable, or a flag. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly env?: string;
  readonly flag?: true;
}

/** Collects findings; the order is the order of discovery. */
export interface Problems {
  error(key: string, message: string, at?: Place): void;
  warn(key: string, message: string, at?: Place): void;
  list(): readonly Problem[];
}

export const collectProblems = (): Problems => {
  const found: Problem[] = [];
  const add = (severity: Problem["severity"], key: string, message: string, at: Place = {}): void => {
    const { file, line, column } = at;
    found.push({
      severity,
      key: at.env ?? key,
      message,
      ...(file !== undefined && { file }),
      ...(line !== undefined && { line }),
      ...(column !== undefined && { column }),
    });
  };
  return {
    error: (key, message, at) => add("error", key, message, at),
    warn: (key, message, at) => add("warning", key, message, at),
    list: () => found,
  };
};

/** `file:line:column: key: message`, without the parts that are not known. */
export const formatProblem = (p: Problem): string => {
  const place = p.file === undefined ? "" : `${[p.file, p.line, p.column].filter((x) => x !== undefined).join(":")}: `;
  return `${place}${p.key === "" ? "" : `${p.key}: `}${p.message}`;
};
