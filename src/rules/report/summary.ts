import { priorities } from "../../sdk/alert.ts";
import type { CompiledRule } from "../compile.ts";

/** Counts alerts for the summary that Falco prints when it ends. */
export interface Tally {
  count(rule: CompiledRule<unknown>): void;
  /** Three headings, severities by gravity, rules in the order in which they were loaded; ends with a newline. */
  text(): string;
}

export const createTally = (defined: readonly CompiledRule<unknown>[]): Tally => {
  const counts = new Map<string, number>(defined.map((rule) => [rule.item.name, 0]));
  const severities = new Map<string, number>();
  let total = 0;
  return {
    count: (rule) => {
      total++;
      counts.set(rule.item.name, (counts.get(rule.item.name) ?? 0) + 1);
      severities.set(rule.item.priority, (severities.get(rule.item.priority) ?? 0) + 1);
    },
    text: () => {
      const lines = [`Events detected: ${total}`, "Rule counts by severity:"];
      for (const priority of priorities.toReversed()) {
        const n = severities.get(priority);
        if (n) lines.push(`   ${priority === "Informational" ? "INFO" : priority.toUpperCase()}: ${n}`);
      }
      lines.push("Triggered rules by rule name:");
      for (const [name, n] of counts) if (n > 0) lines.push(`   ${name}: ${n}`);
      return `${lines.join("\n")}\n`;
    },
  };
};
