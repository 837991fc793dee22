import { parseArgs } from "node:util";
import { describeConfig, type RulesFacts } from "../config/describe.ts";
import { loadConfig } from "../config/load.ts";
import { redact } from "../config/redact.ts";
import { preflight } from "../hub/preflight.ts";
import type { LoadedRules } from "../pipeline/judge/load-rules.ts";
import type { Command } from "./command.ts";

/**
 * `eyrie check-config [-c FILE] [-o key=value]… [--running] [--json]`: prints what was understood and every problem; exit
 * code 1 when the hub would not start. With `--running` what a hub that is up already holds, its ports and its folder, is
 * no problem.
 */
export const checkConfig: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      "config-file": { type: "string", short: "c" },
      option: { type: "string", short: "o", multiple: true },
      json: { type: "boolean" },
      running: { type: "boolean" },
    },
  });
  const { config, problems: ofConfig } = loadConfig({
    file: values["config-file"] ?? positionals[0],
    env: io.env,
    overrides: values.option ?? [],
    outputs: io.outputs,
    sources: io.sources,
  });
  const { rules, listeners, problems: ofSurroundings } = await preflight(config, values.running);
  const problems = [...ofConfig, ...ofSurroundings];
  const facts = factsOf(rules);
  const shown = { config: redact(config), listeners, rules: { ...facts, active: Object.fromEntries(facts.active) } };
  io.stdout.write(
    values.json ? `${JSON.stringify({ ...shown, problems }, undefined, 2)}\n` : describeConfig(config, problems, facts),
  );
  return problems.some((p) => p.severity === "error") ? 1 : 0;
};

const factsOf = ({ rules, files }: LoadedRules): RulesFacts => {
  const active = new Map<string, number>();
  for (const { item } of rules?.set.rules ?? []) active.set(item.source, (active.get(item.source) ?? 0) + 1);
  return { files, defined: rules?.set.defined.length ?? 0, active };
};
