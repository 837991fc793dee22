import type { GoldenCase, GoldenRequest, Shape } from "./golden-replay.ts";

/** A difference from falcosidekick that is meant. `becomes` turns what it sent into what the hub promises instead. */
export interface Deliberate {
  /** Names of the cases in which it may show. */
  readonly cases: RegExp;
  readonly reason: string;
  /** File in decisions/. */
  readonly page: string;
  readonly becomes: (request: Shape, golden: GoldenCase) => Shape;
  /** The problem that turns the output off: nothing is sent. */
  readonly off?: string;
  /** What the hub sends where falcosidekick sent nothing. */
  readonly adds?: (golden: GoldenCase) => readonly GoldenRequest[];
  /** Settings under which the difference is none: the case is sent once more with them. */
  readonly without?: Readonly<Record<string, unknown>>;
}

export type Json = Record<string, object>;

export const body = (shape: Shape, change: (value: Json) => unknown): Shape => ({
  ...shape,
  body: change(shape.body as Json),
});

/** The alert of a case. */
export const input = (golden: GoldenCase) =>
  JSON.parse(golden.input ?? "{}") as { output: string; output_fields: Record<string, unknown>; uuid?: string };

/** Every text within a value, changed. */
export const texts = (value: unknown, change: (text: string) => string): unknown => {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => texts(item, change));
  if (typeof value !== "object" || value === null || "rawJSON" in value) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, texts(item, change)]));
};

export const cut = (text: string, limit: number) => (text.length <= limit ? text : `${text.slice(0, limit - 5)}[...]`);
