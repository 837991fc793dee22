import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { type EventKind, usualKind } from "../pipeline/judge/kinds.ts";
import type { EventCatalog } from "../sdk/event-catalog.ts";

/** One test of rules, as a test file says it. */
export interface RuleTest {
  readonly name: string;
  /** Of the events' kind: what `source` names, without it audit events. */
  readonly catalog: EventCatalog;
  /** Paths of rules files and folders. */
  readonly rules: readonly string[];
  /** Events as JSON text, and paths of files of events. */
  readonly events: readonly ({ readonly json: string } | { readonly file: string })[];
  /** Rule → how often it fires; undefined: at least once. Rules that are not named must not fire. */
  readonly expect: ReadonlyMap<string, number | undefined>;
  /** Keys of falco.yaml for this test. */
  readonly options: readonly string[];
}

/** What is wrong with a test file, with its name. */
export class TestFileError extends Error {
  override readonly name = "TestFileError";
}

type Map = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Map => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The tests of a file: a list, or a map with `tests` and, for all of them, `rules`, `source` and `options`. Paths are
 * relative to the file; without `rules` all rules files of its folder are meant. Undefined: not a test file. Throws TestFileError.
 */
export const readTests = (file: string, kinds: readonly EventKind[]): readonly RuleTest[] | undefined => {
  const fail = (message: string): never => {
    throw new TestFileError(`${file}: ${message}`);
  };
  const content = parseYaml(file, fail);
  const named = /[.-]tests?\.ya?ml$/.test(file);
  const whole: Map = isMap(content) ? content : { tests: content };
  if (!named && !(isMap(content) && "tests" in content)) return undefined;
  const { tests } = whole;
  if (!Array.isArray(tests)) return fail("tests must be a list");
  const here = dirname(file);
  const texts = (value: unknown, what: string): readonly string[] => {
    const list = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
    return list.every((item) => typeof item === "string") ? list : fail(`${what} must be texts`);
  };
  return tests.map((test: unknown, i): RuleTest => {
    if (!isMap(test)) return fail(`tests[${i}] must hold keys and values`);
    const name = typeof test.name === "string" ? test.name : `test ${i + 1}`;
    const known = ["name", "rules", "source", "events", "expect", "options"];
    for (const key of Object.keys(test)) if (!known.includes(key)) fail(`"${name}": unknown key ${key}`);
    const rules = texts(test.rules ?? whole.rules, `"${name}": rules`);
    if (!Array.isArray(test.events)) return fail(`"${name}": events must be a list`);
    if (!("expect" in test)) return fail(`"${name}": expect is missing; none says that nothing fires`);
    const { catalog } = kindOf(test.source ?? whole.source, kinds) ?? fail(`"${name}": source is none that is known`);
    return {
      name,
      catalog,
      rules: rules.length === 0 ? [here] : rules.map((path) => join(here, path)),
      events: test.events.map((event) =>
        eventOf(event, here, catalog, () => fail(`"${name}": events are maps or file names`)),
      ),
      expect: expectOf(test.expect, (message) => fail(`"${name}": ${message}`)),
      options: [...optionsOf(whole.options), ...optionsOf(test.options)],
    };
  });
};

const parseYaml = (file: string, fail: (message: string) => never): unknown => {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    return fail(error instanceof Error ? (error.message.split("\n")[0] ?? "cannot be read") : "cannot be read");
  }
};

const kindOf = (source: unknown, kinds: readonly EventKind[]): EventKind | undefined =>
  source === undefined ? usualKind(kinds) : kinds.find(({ catalog }) => catalog.source === source);

const eventOf = (
  event: unknown,
  here: string,
  { blank }: EventCatalog,
  fail: () => never,
): RuleTest["events"][number] => {
  if (typeof event === "string") return { file: join(here, event) };
  return isMap(event) ? { json: JSON.stringify({ ...blank, ...event }) } : fail();
};

const expectOf = (value: unknown, fail: (message: string) => never): RuleTest["expect"] => {
  if (value === null || value === "none") return new Map();
  const list = Array.isArray(value) ? value : [value];
  return new Map(
    list.map((item): [string, number | undefined] => {
      if (typeof item === "string") return [item, undefined];
      if (!isMap(item) || typeof item.rule !== "string") return fail("expect names rules, or rules with times");
      const { times } = item;
      if (times === undefined) return [item.rule, undefined];
      return Number.isSafeInteger(times) && Number(times) >= 0
        ? [item.rule, Number(times)]
        : fail("times is a whole number");
    }),
  );
};

const optionsOf = (value: unknown): readonly string[] =>
  isMap(value) ? Object.entries(value).map(([key, held]) => `${key}=${JSON.stringify(held)}`) : [];
