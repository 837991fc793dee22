import assert from "node:assert/strict";
import { outputs } from "../../outputs/index.ts";
import { loadConfig } from "../../src/config/load.ts";
import { decodeAlerts, makeAlertSettings } from "../../src/pipeline/alert-in.ts";
import { markOwnTest } from "../../src/pipeline/own-test.ts";
import { compileMatch } from "../../src/pipeline/route.ts";
import type { Alert } from "../../src/sdk/alert.ts";

/** Home of the environments that the golden cases were taken in. */
const home = { HOME: "/opt/home" };

const load = (yaml: string, env: Readonly<Record<string, string>>) =>
  loadConfig({ file: "eyrie.yaml", read: () => yaml, env: { ...home, ...env }, outputs, sources: [] });

/** What the hub says of the configuration of a case, and whether the output is on nevertheless. */
export const problemsOf = (name: string, yaml: string, env: Readonly<Record<string, string>>) => {
  const { config, problems } = load(yaml, env);
  return {
    on: config.outputs.some((item) => item.output.name === name),
    said: problems.map(({ key, message }) => `${key}: ${message}`),
  };
};

/** The configuration of one case as the hub reads it. */
export const loadInstance = async (name: string, yaml: string, env: Readonly<Record<string, string>>) => {
  const { config: hub } = load(yaml, env);
  const instance = hub.outputs.find((item) => item.output.name === name);
  assert.ok(instance, `${name} is not enabled`);
  const route = compileMatch(instance.match, () => () => true);
  const takes = (alert: Alert): boolean => {
    // Recorded as posted under the rule's name; here only what the hub made itself passes (decisions/alert-intake.md).
    if (alert.rule === "Test rule") markOwnTest([alert]);
    return route(alert);
  };
  return { ...instance, hub, takes };
};

type Loaded = Awaited<ReturnType<typeof loadInstance>>;

/** The alert of one case as the hub takes it. */
export const decodeInput = (input: string, hub: Loaded["hub"]): Alert => {
  const uuid = () => "9f3c1de2-6d0a-4a55-9d7e-0b8a5ed3f001";
  const { alerts, rejected } = decodeAlerts(input, makeAlertSettings(hub, uuid).settings);
  const [alert] = alerts;
  assert.ok(alert, rejected[0]?.reason);
  return alert;
};
