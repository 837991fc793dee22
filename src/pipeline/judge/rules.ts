import type { Logger } from "pino";
import { formatProblem } from "../../config/problem.ts";
import type { HubConfig, Problem } from "../../config/types.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import type { Alert } from "../../sdk/alert.ts";
import type { Incoming } from "../../sdk/event.ts";
import type { AlertSettings } from "../alert-in.ts";
import type { Counts } from "../counts.ts";
import type { Stage } from "../stages.ts";
import { createChunkJudge, type JudgeParts } from "./chunk-judge.ts";
import type { EventRules } from "./event-rules.ts";
import { judges, type LoadedRules, loadHubRules, rulePaths } from "./load-rules.ts";
import { watchRules } from "./rule-watch.ts";

/** The rules that audit events are judged by, kept up to date with their files. */
export interface HubRules {
  /** The same event gives the same ids of alerts again, in whichever chunk and hub. */
  readonly stage: Stage<Incoming, readonly Alert[]>;
  close(): void;
}

export interface HubRulesParts {
  readonly log: Logger;
  readonly metrics: Pick<Metrics, "rulesLoaded" | "rulesReload">;
  readonly counts: Pick<Counts, "judged" | "notJudged">;
  /** What is done to every alert that the hub takes. */
  readonly settings: AlertSettings;
  readonly added?: NonNullable<JudgeParts["added"]>;
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
  const judge = createChunkJudge({ ...parts, log });

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
    stage: { name: "judge", run: async (chunk, events) => judge(rules, events, chunk) },
    close: watching.close,
  };
};

interface GoodRules extends LoadedRules {
  readonly rules: EventRules;
}

const isGood = (loaded: LoadedRules): loaded is GoodRules =>
  loaded.rules?.set.ok === true && loaded.problems.every((problem) => problem.severity !== "error");

const report = (problems: readonly Problem[], log: Logger): void => {
  for (const problem of problems) log[problem.severity === "error" ? "error" : "warn"](formatProblem(problem));
};
