import { priorityLevel } from "../../sdk/alert.ts";
import type { RuleConfig, Selection } from "./config.ts";
import type { RuleItem } from "./items.ts";

/**
 * Falco's wildcard: a `*` stands for anything up to the first place where the text between it and the next `*` is found;
 * it never goes back, so `*r` misses "r x r".
 */
export const matchesWild = (pattern: string, text: string): boolean => {
  const [start = "", ...parts] = pattern.split(/\*+/);
  if (!text.startsWith(start)) return false;
  let at = start.length;
  for (const part of parts) {
    // The pattern ends in a star: whatever is left will do.
    if (part === "") return true;
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at === text.length;
};

const picks = (selection: Selection, rule: RuleItem): boolean =>
  (selection.rule !== undefined && matchesWild(selection.rule, rule.name)) ||
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
