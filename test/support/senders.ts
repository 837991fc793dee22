import pino from "pino";
import { type HttpCall, HttpRefusal } from "../../src/sdk/http.ts";
import type { Host, Output, Sender } from "../../src/sdk/output.ts";

export const testHost = (http: HttpCall, now: () => number = Date.now): Host => ({
  http,
  now,
  log: pino({ level: "silent" }),
  omitted: () => {},
  tls: { rejectUnauthorized: true },
  hub: { outputs: [], customfields: {}, templatedfields: {} },
});

/** A sender of either kind of output. */
export const openSender = async (
  output: Output,
  config: Readonly<Record<string, unknown>>,
  host: Host,
): Promise<Sender> => {
  if ("open" in output) return output.open(config, host);
  return {
    send: async (alerts, signal) => {
      const request = output.request(alerts, config, { now: host.now(), hub: host.hub });
      const reply = await host.http(request, signal).catch((error: unknown) => {
        if (error instanceof HttpRefusal) output.refused?.(error.reply, alerts, config);
        throw error;
      });
      output.accept?.(reply, alerts);
    },
  };
};

/** Parses `values` (keys as documented, dots for nested ones) as an output's configuration with its defaults. */
export const configOf = (output: Output, values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(output.fields as Record<string, { parse(value: unknown): unknown }>).map(([key, field]) => [
      key,
      field.parse(values[key]),
    ]),
  );
