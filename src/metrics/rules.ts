import type { Families } from "./families.ts";

/** What judging does. */
export interface RuleMetrics {
  /** Matches of a rule of the hub's own engine; rule names come from rule files. */
  ruleMatch(rule: string, priority: string, source: string): void;
  /** An event that the rules failed on. */
  eventNotJudged(): void;
  /** Rules that audit events are judged by. */
  rulesLoaded(rules: number): void;
  /** The files of the rules changed; `error`: the running rules stayed. */
  rulesReload(outcome: "ok" | "error"): void;
}

export const createRuleMetrics = ({ counter, gauge }: Families): RuleMetrics => {
  const matches = counter("eyrie_rule_matches_total", "Audit events matched.", ["rule", "priority", "source"]);
  const notJudged = counter("eyrie_events_not_judged_total", "Audit events that the rules failed on.").cell();
  const ruleCount = gauge("eyrie_rules_active", "Rules that audit events are judged by.");
  const reloads = counter("eyrie_rules_reloads_total", "Reloads of changed rules files.", ["outcome"]);
  return {
    ruleMatch: (rule, priority, source) => matches.cell(rule, priority, source).add(1),
    eventNotJudged: () => notJudged.add(1),
    rulesLoaded: (rules) => ruleCount.set(rules),
    rulesReload: (outcome) => reloads.cell(outcome).add(1),
  };
};
