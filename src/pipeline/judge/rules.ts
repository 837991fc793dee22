import { createHash } from "node:crypto";
import type { Logger } from "pino";
import { formatProblem } from "../../config/problem.ts";
import type { HubConfig, Problem } from "../../config/types.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import { formatAlert, type RuleConfig } from "../../rules/index.ts";
import type { Alert } from "../../sdk/alert.ts";
import type { Incoming } from "../../sdk/event.ts";
import { openEvent } from "../../sdk/json-event.ts";
import { createThrottledLog, type ThrottledLog } from "../../sdk/throttled-log.ts";
import { type AlertSettings, dressAlert } from "../alert-in.ts";
import type { ChunkFacts } from "../worker.ts";
import type { AuditRules } from "./audit-rules.ts";
import { eventIdentity } from "./event-identity.ts";
import { judges, type LoadedRules, loadHubRules, rulePaths } from "./load-rules.ts";
import { watchRules } from "./rule-watch.ts";

/** The rules that audit events are judged by, kept up to date with their files. */
export interface HubRules {
  /** The alerts of a chunk's events; the same event gives the same ids again, in whichever chunk and hub. */
  judge(events: readonly Incoming[], chunk: ChunkFacts): readonly Alert[];
  close(): void;
}

export interface HubRulesParts {
  readonly log: Logger;
  readonly metrics: Pick<Metrics, "ruleMatch" | "event" | "eventNotJudged" | "rulesLoaded" | "rulesReload">;
  /** What is done to every alert that the hub takes. */
  readonly settings: AlertSettings;
  /** Between two looks at the files. */
  readonly pollMs?: number;
}

/**
 * Loads the rules and watches their files: what changes takes effect when it compiles as a whole, else the running rules
 * stay. Undefined: nothing asks for rules. Throws when the first load has errors; each was logged with its place.
 */
export const openRules = (
  config: HubConfig,
  parts: HubRulesParts,
  first = loadHubRules(config),
): HubRules | undefined => {
  const paths = rulePaths(config);
  if (paths.length === 0) return undefined;
  const log = parts.log.child({ part: "rules" });
  report(first.problems, log);
  if (!first.rules && !judges(config)) return undefined;
  if (!isGood(first)) throw new Error("the rules have errors: not started");
  let { rules, files } = first;
  const say = (what: string): void => {
    const active = rules.set.rules.filter(({ item }) => !rules.set.unfed.has(item.source)).length;
    parts.metrics.rulesLoaded(active);
    log.info({ rules: active, files }, `${what}: ${active} active in ${files.length} files`);
  };
  say("rules loaded");
  const faults = createThrottledLog(log);
  // `evt.num`, over all chunks.
  const counter = { events: 0 };

  const reload = (): void => {
    const next = loadHubRules(config);
    const gone = files.filter(
      (file) => !next.files.includes(file) && next.problems.some((p) => p.message.startsWith(file)),
    );
    report(next.problems, log);
    if (!isGood(next) || gone.length > 0) {
      parts.metrics.rulesReload("error");
      log.error({ gone }, "the changed rules are not used: the running ones stay");
      return;
    }
    ({ rules, files } = next);
    parts.metrics.rulesReload("ok");
    say("rules reloaded");
  };
  const watching = watchRules(paths, reload, parts.pollMs === undefined ? {} : { pollMs: parts.pollMs });
  return {
    judge: (events, chunk) => judgeWith(rules, events, chunk, counter, { ...parts, faults }),
    close: watching.close,
  };
};

interface GoodRules extends LoadedRules {
  readonly rules: AuditRules;
}

const isGood = (loaded: LoadedRules): loaded is GoodRules =>
  loaded.rules?.set.ok === true && loaded.problems.every((problem) => problem.severity !== "error");

const report = (problems: readonly Problem[], log: Logger): void => {
  for (const problem of problems) log[problem.severity === "error" ? "error" : "warn"](formatProblem(problem));
};

const judgeWith = (
  rules: AuditRules,
  events: readonly Incoming[],
  chunk: ChunkFacts,
  counter: { events: number },
  { metrics, settings, faults }: Pick<HubRulesParts, "metrics" | "settings"> & { readonly faults: ThrottledLog },
): readonly Alert[] => {
  const alerts: Alert[] = [];
  for (const [index, incoming] of events.entries()) {
    try {
      const event = openEvent(incoming, ++counter.events, chunk.at);
      let identity: string | undefined;
      for (const rule of rules.match(event)) {
        identity ??= eventIdentity(event);
        const uuid = derivedUuid(`${identity}\n${rule.item.name}`);
        const alert = formatAlert(rule, event, rules.facts(event), rules.set.config, uuid);
        alerts.push(dressAlert(withoutLeftOut(alert, rules.set.config), settings));
        metrics.ruleMatch(rule.item.name, rule.item.priority, rule.item.source);
      }
    } catch (error) {
      // One event must not hold up its chunk for ever.
      metrics.eventNotJudged();
      const reason = error instanceof Error ? error.name : "";
      faults.warn("not judged", { chunk: chunk.id, index, reason }, "an event was not judged");
    }
  }
  for (const alert of alerts) metrics.event(alert);
  return alerts;
};

/** With `json_output`, `json_include_*` switched off leaves the property out of what is sent, as in Falco. */
const withoutLeftOut = (alert: Alert, config: RuleConfig): Alert => {
  const {
    json_include_output_property: output,
    json_include_output_fields_property: fields,
    json_include_tags_property: tags,
  } = config;
  if (!config.json_output || (output && fields && tags)) return alert;
  return Object.freeze({
    ...alert,
    ...(!output && { output: "" }),
    ...(!fields && { output_fields: noFields }),
    ...(!tags && { tags: [] }),
  });
};

const noFields: Alert["output_fields"] = Object.freeze(Object.create(null));

/** A UUID (version 8) that only depends on the text. */
const derivedUuid = (text: string): string => {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
