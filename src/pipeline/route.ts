import type { MatchSettings } from "../config/types.ts";
import type { Chunk } from "../queue/queue.ts";
import { type Alert, priorityLevel } from "../sdk/alert.ts";
import { anyNameTest } from "../sdk/glob.ts";
import { alertLines } from "./codec.ts";
import { outputLane } from "./lanes.ts";
import { isOwnTest } from "./own-test.ts";

/** One destination as routing sees it. */
export interface Route {
  /** The output instance's id. */
  readonly id: string;
  readonly takes: (alert: Alert) => boolean;
}

/**
 * Builds the predicate of an output instance: everything that is set must hold. `condition` is compiled by the caller's
 * rule engine, which throws on a bad text.
 */
export const compileMatch = (
  match: MatchSettings,
  compileCondition: (text: string) => (alert: Alert) => boolean,
): ((alert: Alert) => boolean) => {
  const tests: ((alert: Alert) => boolean)[] = [];
  if (match.minimumpriority) {
    const least = priorityLevel(match.minimumpriority);
    // What `/test` made passes, as falcosidekick's does; a sender's alert of that rule does not.
    tests.push((alert) => priorityLevel(alert.priority) >= least || isOwnTest(alert));
  }
  if (match.tags?.length) {
    const wanted = new Set(match.tags);
    tests.push((alert) => alert.tags.some((tag) => wanted.has(tag)));
  }
  if (match.rules?.length) {
    const named = anyNameTest(match.rules);
    tests.push((alert) => named(alert.rule));
  }
  if (match.condition) tests.push(compileCondition(match.condition));
  return (alert) => tests.every((test) => test(alert));
};

/** One chunk per route that takes any of the alerts; its id is the parent's, so a repeated routing is recognised. */
export const routeAlerts = (
  parent: { readonly id: string; readonly at: number; readonly body?: string },
  alerts: readonly Alert[],
  routes: readonly Route[],
): Chunk[] => {
  const chunks: Chunk[] = [];
  let whole: string | undefined = parent.body;
  for (const route of routes) {
    const taken = alerts.filter(route.takes);
    if (taken.length === 0) continue;
    const all = taken.length === alerts.length;
    if (all) whole ??= alertLines.encode(alerts);
    const body = all && whole !== undefined ? whole : alertLines.encode(taken);
    const decoded = { codec: alertLines, value: taken };
    chunks.push({ lane: outputLane(route.id), id: parent.id, body, count: taken.length, at: parent.at, decoded });
  }
  return chunks;
};
