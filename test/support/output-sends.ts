import assert from "node:assert/strict";
import { openHttp } from "../../src/deliver/http.ts";
import { DeliveryError, type DeliveryFault } from "../../src/sdk/errors.ts";
import type { Alerts, Output } from "../../src/sdk/output.ts";
import { type Answer, openSink, type Received } from "../fakes/http-sink.ts";
import { sampleAlert } from "./hostile-alerts.ts";
import { configOf, openSender, testHost } from "./senders.ts";

export const context = {
  now: Date.parse("2025-01-15T12:00:00Z"),
  hub: { outputs: [], customfields: {}, templatedfields: {} },
};
export const json = (body: unknown): Answer => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
export const numbered = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    sampleAlert({ uuid: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}` }),
  ) as unknown as Alerts;
export const place = (id: string) => Number(id.slice(-12));

export interface Sent {
  readonly fault: DeliveryFault | undefined;
  readonly received: readonly Received[];
  /** Fields left out. */
  readonly omitted: number;
}

/** Sends to a server that answers as told. */
export const send = async (
  output: Output,
  settings: (url: string) => Readonly<Record<string, unknown>>,
  alerts: Alerts,
  answer: (request: Received) => Answer | undefined,
  phase: "send" | "start" = "send",
): Promise<Sent> => {
  const sink = await openSink(answer);
  const http = openHttp({ rejectUnauthorized: true });
  let omitted = 0;
  try {
    const sender = await openSender(output, configOf(output, settings(sink.url)), {
      ...testHost(http, () => context.now),
      omitted: (parts) => {
        omitted += parts;
      },
    });
    const signal = AbortSignal.timeout(5000);
    await (phase === "send" ? sender.send(alerts, signal) : sender.start?.(signal));
    return { fault: undefined, received: sink.requests, omitted };
  } catch (error) {
    assert.ok(error instanceof DeliveryError, String(error));
    return { fault: error.fault, received: sink.requests, omitted };
  } finally {
    await http.close();
    await sink.close();
  }
};
