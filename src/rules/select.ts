import { priorityLevel } from "../sdk/alert.ts";
import type { RuleConfig, Selection } from "./config.ts";
import type { RuleItem } from "./items.ts";

/** Falco's wildcard: `*` stands for anything up to the first place where the rest goes on; it never goes back. */
export const matchesWild = (pattern: string, text: string): boolean => {
  let p = 0;
  let t = 0;
  while (p < pattern.length) {
    if (pattern[p] !== "*") {
      if (pattern[p] !== text[t]) return false;
      p++;
      t++;
      continue;
    }
    while (pattern[p] === "*") p++;
    if (p === pattern.length) return true;
    while (t < text.length && text[t] !== pattern[p]) t++;
    if (t === text.length) return false;
  }
  return t === text.length;
};

const picks = (selection: Selection, rule: RuleItem): boolean =>
  (selection.rule !== undefined &&
    (selection.rule.includes("*") ? matchesWild(selection.rule, rule.name) : selection.rule === rule.name)) ||
  (selection.part !== undefined && rule.name.includes(selection.part)) ||
  (selection.tag !== undefined && rule.tags.includes(selection.tag));

/**
 * The rules that take part, in the order in which they are tried: severe enough, enabled, and not switched off. A rule that
 * was off and is switched on again comes last.
 */
export const selectRules = <R extends RuleItem>(rules: readonly R[], config: RuleConfig): readonly R[] => {
  const least = priorityLevel(config.priority);
  const loaded = rules.filter((rule) => priorityLevel(rule.priority) >= least);
  let active = loaded.filter((rule) => rule.enabled);
  for (const selection of config.rules) {
    if (!selection.enable) active = active.filter((rule) => !picks(selection, rule));
    else active = [...active, ...loaded.filter((rule) => picks(selection, rule) && !active.includes(rule))];
  }
  return active;
};
