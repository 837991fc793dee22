import { parseArgs } from "node:util";
import { describeConfig } from "../config/describe.ts";
import { loadConfig } from "../config/load.ts";
import { redact } from "../config/redact.ts";
import { loadHubRules } from "../hub/load-rules.ts";
import type { Command } from "./command.ts";

/**
 * `eyrie check-config [-c FILE] [-o key=value]… [--json]`: prints what was understood and every problem; exit code 1
 * when the hub would not start.
 */
export const checkConfig: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      "config-file": { type: "string", short: "c" },
      option: { type: "string", short: "o", multiple: true },
      json: { type: "boolean" },
    },
  });
  const { config, problems: ofConfig } = loadConfig({
    file: values["config-file"] ?? positionals[0],
    env: io.env,
    overrides: values.option ?? [],
    outputs: io.outputs,
    sources: io.sources,
  });
  const problems = [...ofConfig, ...loadHubRules(config).problems];
  io.stdout.write(
    values.json
      ? `${JSON.stringify({ config: redact(config), problems }, undefined, 2)}\n`
      : describeConfig(config, problems),
  );
  return problems.some((p) => p.severity === "error") ? 1 : 0;
};
