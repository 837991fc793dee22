import type { MatchSettings, OutputInstance } from "../config/types.ts";
import { type Alert, priorityLevel } from "../sdk/alert.ts";
import { anyNameTest } from "../sdk/glob.ts";
import { isOwnTest } from "./own-test.ts";
import type { Routed, Stages } from "./stages.ts";

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

/** The routes of all output instances; throws on a `match` condition that does not compile. */
export const compileRoutes = (
  outputs: readonly Pick<OutputInstance, "id" | "match">[],
  compileCondition: (text: string) => (alert: Alert) => boolean,
): readonly Route[] => outputs.map(({ id, match }) => ({ id, takes: compileMatch(match, compileCondition) }));

/** What each route takes of the alerts; nothing for one that takes none. */
export const routeAlerts = (alerts: readonly Alert[], routes: readonly Route[]): readonly Routed[] => {
  const routed: Routed[] = [];
  for (const { id, takes } of routes) {
    const wanted = alerts.filter(takes);
    if (wanted.length > 0) routed.push({ output: id, alerts: wanted.length === alerts.length ? alerts : wanted });
  }
  return routed;
};

/** The stage that knows which outputs there are. */
export const routeStage = (routes: readonly Route[]): Stages["route"] => ({
  name: "route",
  pure: true,
  run: async (_, alerts) => routeAlerts(alerts, routes),
});
