import { maximumDepth, transformers } from "./grammar.ts";
import { SyntaxFault } from "./quote.ts";
import { createScanner, type Scanner } from "./scan.ts";

/** A reading under way, by recursive descent: its rules throw SyntaxFault and leave the position where they failed. */
export interface Descent {
  readonly scan: Scanner;
  /** Runs a rule of the grammar, each of which counts as a level, as in Falco. */
  level<T>(rule: () => T): T;
}

export const fail = (message: string): never => {
  throw new SyntaxFault(message);
};

export const transformerTokens = transformers.map((name) => `${name}(`);

export const createDescent = (text: string): Descent => {
  let depth = 0;
  return {
    scan: createScanner(text),
    level: (rule) => {
      depth++;
      if (depth >= maximumDepth) {
        depth--;
        return fail(`exceeded max depth limit of ${maximumDepth}`);
      }
      try {
        return rule();
      } finally {
        depth--;
      }
    },
  };
};
