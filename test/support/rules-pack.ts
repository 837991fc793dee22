import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { splitPayload } from "../../src/audit/payload.ts";
import { loadRules, type Mode, type RuleSet } from "../../src/rules/index.ts";
import { type JsonEvent, openEvent } from "../../src/sdk/json-event.ts";
import { auditCatalog } from "./rule-probes.ts";

const at = (path: string): URL => new URL(path, import.meta.url);

export const packName = "k8s_audit_rules.yaml";
export const packText = readFileSync(at(`../../rules/${packName}`), "utf8");

export interface PackOptions {
  /** A second file, as users write it. */
  readonly overrides?: string;
  readonly matching?: "first" | "all";
  readonly mode?: Mode;
}

const loaded = new Map<string, RuleSet>();

/** Each set is loaded once for a test file. */
export const loadPack = ({ overrides, matching = "first", mode = "generated" }: PackOptions = {}): RuleSet => {
  const key = JSON.stringify([overrides, matching, mode]);
  const set =
    loaded.get(key) ??
    loadRules(
      [{ name: packName, text: packText }, ...(overrides === undefined ? [] : [{ name: "own.yaml", text: overrides }])],
      { catalogs: [auditCatalog()], config: { rule_matching: matching }, mode },
    );
  loaded.set(key, set);
  return set;
};

export const openLine = (line: string, num = 1): JsonEvent => {
  const [incoming] = splitPayload(line, { maxEventBytes: 16_777_216 }).events;
  if (incoming === undefined) throw new Error("not an audit event");
  return openEvent(incoming, num, 0);
};

export const openObject = (event: unknown, [from, to]: readonly [string, string] = ["", ""]): JsonEvent =>
  openLine(
    JSON.stringify(event).replace(from, () => to),
    1,
  );

export const fired = (rules: RuleSet, event: JsonEvent): readonly string[] =>
  rules.match("k8s_audit", event).map((rule) => rule.item.name);

/** A rule with an event that it is for, and how little makes another event of it that it is not for. */
export interface PackCase {
  readonly rule: string;
  /** Overrides without which the rule is off. */
  readonly with?: string;
  readonly fires: Readonly<Record<string, unknown>>;
  /** What stands in the event's text instead of what: equal keys, which no object can hold. */
  readonly raw?: readonly [string, string];
  /** JSON pointers and what stands there instead; null: nothing. */
  readonly but: Readonly<Record<string, unknown>>;
  readonly because: string;
}

export const packCases: readonly PackCase[] = readFileSync(at("../golden/rules-pack/cases.jsonl"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as PackCase);

/** The event with other values at some pointers. */
export const changed = (event: unknown, but: Readonly<Record<string, unknown>>): unknown => {
  const copy = structuredClone(event);
  for (const [pointer, value] of Object.entries(but)) {
    const steps = pointer
      .slice(1)
      .split("/")
      .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = steps.pop() as string;
    let node = copy as Record<string, unknown>;
    for (const step of steps) {
      node[step] ??= {};
      node = node[step] as Record<string, unknown>;
    }
    if (value === null) delete node[last];
    else node[last] = value;
  }
  return copy;
};

/** The audit log of a control plane in use, each event cut to what rules look at. */
export const recordedLog = (): readonly JsonEvent[] =>
  gunzipSync(readFileSync(at("../golden/rules-pack/audit-log.jsonl.gz")))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line, n) => openLine(line, n + 1));

/** What a real API server wrote of an evasion, what the pack must say to it, and a harmless event beside it. */
export interface Evasion {
  readonly case: string;
  readonly what: string;
  readonly expected: string;
  /** The first rule to fire; null: none does, or none that is more than a record of users and activity. */
  readonly rule: string | null;
  /** Stands in the alert's text. */
  readonly says?: string;
  /** JSON pointers and what stands there in the harmless event, where nothing fires. */
  readonly twin?: Readonly<Record<string, unknown>>;
  readonly because?: string;
  /** As it was written: equal keys are kept. */
  readonly event: string;
}

export const evasions = (): readonly Evasion[] =>
  gunzipSync(readFileSync(at("../golden/rules-pack/evasions.jsonl.gz")))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Evasion);

const countsOf = (rules: RuleSet, events: readonly JsonEvent[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const event of events) for (const name of fired(rules, event)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};

/** What docs/rules-pack.md shows of every rule: its purpose, and how often it fires on the recorded log. */
export const packTable = (overrides: string): string => {
  const events = recordedLog();
  const first = loadPack();
  const counts = [first, loadPack({ overrides }), loadPack({ matching: "all" })].map((rules) =>
    countsOf(rules, events),
  );
  const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  const sums = counts.map((each) => [...each.values()].reduce((sum, n) => sum + n, 0));
  return [
    row(["rule", "priority", "what for", "alerts", "fitted", "all"]),
    row(["---", "---", "---", "--:", "--:", "--:"]),
    ...first.defined.map(({ item }) =>
      row([item.name, item.priority, item.description.trim(), ...counts.map((each) => each.get(item.name) ?? 0)]),
    ),
    row([`${events.length} events`, "", "", ...sums]),
  ].join("\n");
};

export const packPage = at("../../docs/rules-pack.md");

/** The YAML example of the page under this heading. */
export const exampleOf = (page: string, heading: string): string => {
  const [, yaml] = page.slice(page.indexOf(`## ${heading}`)).split("```yaml\n");
  return yaml?.slice(0, yaml.indexOf("```")) ?? "";
};

const [begin, end] = ["<!-- table: node test/support/rules-pack.ts -->", "<!-- end of table -->"] as const;

export const tableOf = (page: string): string =>
  page.slice(page.indexOf(begin) + begin.length, page.indexOf(end)).trim();

if (import.meta.main) {
  const page = readFileSync(packPage, "utf8");
  const table = packTable(exampleOf(page, "Fit it to a cluster"));
  writeFileSync(
    packPage,
    page.replace(tableOf(page) || end, () => (tableOf(page) ? table : `${table}\n\n${end}`)),
  );
}
