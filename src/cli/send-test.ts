import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { loadConfig } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import { secretsOf } from "../config/redact.ts";
import type { HubConfig, OutputInstance } from "../config/types.ts";
import { openDelivery } from "../deliver/chain.ts";
import { hubFacts } from "../hub/outputs.ts";
import { createLogger } from "../log/log.ts";
import { createTextMask } from "../log/mask.ts";
import { installLookup } from "../names/install.ts";
import { decodeAlerts, makeAlertSettings } from "../pipeline/alert-in.ts";
import { alertLines, encodeAlert } from "../pipeline/codec.ts";
import { testAlert } from "../pipeline/test-alert.ts";
import { type Alert, parsePriority } from "../sdk/alert.ts";
import { printable } from "../sdk/printable.ts";
import { type Command, UsageError } from "./command.ts";

/**
 * `eyrie send-test [-c FILE] [-o key=value]… [--output ID]… [--rule NAME] [--priority P]`: one alert straight to each
 * configured output (whatever its `match` says), one attempt each, past the queue. Exit code 1 when any did not take it.
 */
export const sendTest: Command = async (args, io) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      "config-file": { type: "string", short: "c" },
      option: { type: "string", short: "o", multiple: true },
      output: { type: "string", multiple: true },
      rule: { type: "string", default: "Test rule" },
      priority: { type: "string", default: "Debug" },
    },
  });
  if (!parsePriority(values.priority)) throw new UsageError(`"${values.priority}" is not a priority`);
  installLookup();
  const { config, problems } = loadConfig({ ...io, file: values["config-file"], overrides: values.option ?? [] });
  for (const problem of problems) io.stderr.write(`${problem.severity}: ${formatProblem(problem)}\n`);
  if (problems.some((p) => p.severity === "error")) return 1;

  const ids = config.outputs.map((o) => o.id);
  const unknown = (values.output ?? []).filter((id) => !ids.includes(id));
  if (ids.length === 0 || unknown.length > 0) {
    const there = ids.length === 0 ? none(config) : `configured are ${ids.join(", ")}`;
    io.stderr.write(`${unknown.map((id) => `no output "${printable(id)}"; `).join("")}${there}\n`);
    return 1;
  }
  const chosen = config.outputs.filter((o) => !values.output || values.output.includes(o.id));
  const { settings } = makeAlertSettings(config, randomUUID);
  const [alert] = decodeAlerts(testAlert(Date.now(), values.rule, values.priority), settings).alerts;
  if (!alert) throw new UsageError("the alert is not valid");

  const width = Math.max(...chosen.map((o) => o.id.length));
  const sent = chosen.map(async (instance) => {
    const { ok, text } = await attempt(instance, alert, config);
    io.stdout.write(`${instance.id.padEnd(width)}  ${ok ? "ok    " : "failed"}  ${text}\n`);
    return ok;
  });
  const taken = (await Promise.all(sent)).every(Boolean);
  return taken && (values.output || config.off.every(({ off }) => off?.output === undefined)) ? 0 : 1;
};

const none = ({ off }: HubConfig): string =>
  off.some((problem) => problem.off?.output !== undefined) ? "every output is off" : "no output is configured";

const noMetrics = { attempt() {}, retried() {}, dead() {}, omitted() {}, breaker() {}, listenerFailed() {} };

/** What the destination answered, for people; delivery's messages hold no URL, key or body. */
const attempt = async (
  instance: OutputInstance,
  alert: Alert,
  config: HubConfig,
): Promise<{ readonly ok: boolean; readonly text: string }> => {
  const log = createLogger({ format: "json", level: "silent", secrets: secretsOf(config) }, { write: () => {} });
  const delivery = await openDelivery(once(instance), {
    log,
    metrics: noMetrics,
    now: Date.now,
    random: Math.random,
    codec: alertLines,
    hub: hubFacts(config),
    proxy: config.proxy,
    mask: createTextMask(secretsOf(config)),
  });
  const start = performance.now();
  try {
    const item = { lane: "", id: alert.uuid, body: encodeAlert(alert), count: 1, at: Date.now(), attempt: 0 };
    const { dead, retry } = await delivery.handle(item);
    const ms = `${Math.round(performance.now() - start)} ms`;
    if (!dead && !retry) return { ok: true, text: ms };
    const failure = delivery.state().lastFailure;
    const why = failure ? `${failure.reason}: ${failure.message}` : (dead?.[0]?.why ?? "held back");
    return { ok: false, text: `${printable(why)}, ${ms}${retry ? "; the hub would try again" : ""}` };
  } finally {
    await delivery.close(0);
  }
};

/** One attempt tells all: nothing waits here for a destination that keeps an order. */
const once = (instance: OutputInstance): OutputInstance => {
  const { ordered: _, ...output } = instance.output;
  return { ...instance, output };
};
