import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type AlertSettings, decodeAlerts } from "../../../src/pipeline/alert-in.ts";
import type { Alert } from "../../../src/sdk/alert.ts";
import { post, start } from "./support.ts";

const settings: AlertSettings = {
  customfields: [],
  customtags: [],
  templatedfields: [],
  bracketreplacer: "",
  outputfieldformat: "",
  uuid: randomUUID,
};

/** An alert that is taken. */
export const good = (over: Record<string, unknown> = {}): string =>
  JSON.stringify({
    rule: "r",
    priority: "Warning",
    time: "2025-01-15T10:20:30Z",
    output: "o",
    output_fields: { a: "b" },
    ...over,
  });

/** A server that reads alerts; `alive` proves that it still takes one and holds nothing. */
export const startReal = async (t: Parameters<typeof start>[0], limits = {}) => {
  const alerts: Alert[] = [];
  const started = await start(
    t,
    { limits },
    {
      take: async (text) => {
        const decoded = decodeAlerts(text, settings);
        alerts.push(...decoded.alerts);
        return { accepted: decoded.alerts.length, rejected: decoded.rejected };
      },
    },
  );
  const alive = async () => {
    const before = alerts.length;
    assert.equal((await post(started.port, good())).status, 200);
    assert.equal(alerts.length, before + 1);
    assert.equal(started.server.inflightBytes(), 0);
  };
  return { ...started, alerts, alive };
};

export const errorOf = (body: string): string => JSON.parse(body).error;
