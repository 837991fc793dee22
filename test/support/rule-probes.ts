import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { auditFields } from "../../src/audit/catalog.ts";
import { splitPayload } from "../../src/audit/payload.ts";
import { evtFields } from "../../src/fields/evt.ts";
import { jsonFields } from "../../src/fields/json.ts";
import type { AppendOutput } from "../../src/rules/file/config.ts";
import type { RuleConfig, RuleSet, Selection } from "../../src/rules/index.ts";
import { loadRules } from "../../src/rules/index.ts";
import { parsePriority } from "../../src/sdk/alert.ts";
import { catalogOf, type FieldCatalog } from "../../src/sdk/catalog.ts";
import { type JsonEvent, openEvent } from "../../src/sdk/json-event.ts";

export interface Probe {
  readonly name: string;
  readonly group: string;
  readonly files: readonly { readonly name: string; readonly yaml: string }[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly args: readonly string[];
  readonly events: readonly number[];
  readonly valid: boolean | null;
  readonly fatal: readonly string[] | null;
  readonly report: readonly ProbeReport[] | null;
  readonly text: string | null;
  readonly lines: readonly string[] | null;
  readonly summary: string | null;
  readonly exit: number | null;
}

export interface ProbeReport {
  readonly name: string;
  readonly successful: boolean;
  readonly schema_valid?: boolean;
  readonly schema_warnings?: readonly string[];
  readonly errors: readonly unknown[];
  readonly warnings: readonly unknown[];
}

const read = (): { events: readonly string[]; probes: readonly Probe[] } => {
  const file = new URL("../golden/rules-lang/probes.jsonl.gz", import.meta.url);
  const [first = "[]", ...rest] = gunzipSync(readFileSync(file)).toString().split("\n");
  return { events: JSON.parse(first) as string[], probes: rest.map((line) => JSON.parse(line) as Probe) };
};

export const { events: eventLines, probes } = read();

export const auditCatalog = (): FieldCatalog<JsonEvent> =>
  catalogOf<JsonEvent>("k8s_audit", [
    ...evtFields<JsonEvent>({ pluginName: "k8saudit", offsetMinutes: () => 0 }),
    ...jsonFields,
    ...auditFields.fields.values(),
  ]);

export const plugins = [
  { name: "k8saudit", version: "0.18.0" },
  { name: "json", version: "0.7.4" },
];

/** falco.yaml's keys as the engine takes them. */
export const configOf = (probe: Probe): Partial<RuleConfig> => {
  const given = probe.config;
  const rules = (given.rules ?? []) as Record<string, { rule?: string; tag?: string }>[];
  const selections = rules.flatMap((entry): Selection[] =>
    Object.entries(entry).map(([how, what]) => ({ enable: how === "enable", ...what })),
  );
  const { priority, static_fields: fixed, rule_matching: matching, ...rest } = given;
  const printed = probe.args.indexOf("-p");
  const appended = ((given.append_output ?? []) as AppendOutput[]).map(
    (entry) => JSON.parse(JSON.stringify(entry).replaceAll(/\$\{FALCO_HOSTNAME\}/g, "probe-host")) as AppendOutput,
  );
  return {
    json_output: true,
    ...rest,
    ...(matching === "all" && { rule_matching: matching }),
    rules: selections,
    append_output: printed < 0 ? appended : [...appended, { extra_output: probe.args[printed + 1] ?? "" }],
    ...(typeof priority === "string" && { priority: parsePriority(priority) ?? "Debug" }),
    ...(fixed !== undefined && {
      static_fields: Object.fromEntries(Object.entries(fixed as object).map(([k, v]) => [k, String(v)])),
    }),
  };
};

export const loadProbe = (probe: Probe, mode: "generated" | "closures" = "generated"): RuleSet =>
  loadRules(
    probe.files.map(({ name, yaml }) => ({ name, text: yaml })),
    { catalogs: hasAudit(probe) ? [auditCatalog()] : [], config: configOf(probe), plugins, mode },
  );

const hasAudit = (probe: Probe): boolean =>
  !Array.isArray(probe.config.load_plugins) || probe.config.load_plugins.includes("k8saudit");

/** The events of a probe as the source delivers them, numbered from 1. */
export const openProbeEvents = (probe: Probe): readonly JsonEvent[] => {
  const incoming = probe.events.flatMap((n) => {
    const line = eventLines[n] ?? "";
    return line.trim() === "" ? [] : splitPayload(line, { maxEventBytes: 262144 }).events;
  });
  return incoming.map((each, i) => openEvent(each, i + 1, 0));
};
