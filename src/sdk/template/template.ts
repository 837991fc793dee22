/** Go's text/template as falcosidekick's users write it, without the parts that need Go itself. */
import { parse } from "./parse.ts";
import { run } from "./run.ts";
import type { Value } from "./value.ts";

export { TemplateError } from "./error.ts";
export type { Value } from "./value.ts";

/** A compiled template: it can be run any number of times. */
export interface Template {
  /** The text over the data. Throws TemplateError where Go stops with an error, and on templates that run too long. */
  run(data: Value, inert?: (text: string) => string): string;
}

/** Throws TemplateError with line and column. `extra` names functions beside Go's own: `json`. */
export const compileTemplate = (text: string, extra: readonly "json"[] = []): Template => {
  const program = parse(text, extra);
  return { run: (data, inert) => run(program, data, inert) };
};
