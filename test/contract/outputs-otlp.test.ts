import assert from "node:assert/strict";
import { describe, it } from "node:test";
import logs from "../../outputs/otlp-logs/index.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";
import { bytesField, numberField } from "../../src/sdk/protobuf.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { readLogs } from "../support/otlp-read.ts";
import { context, numbered } from "../support/output-sends.ts";
import { configOf } from "../support/senders.ts";

const endpoint = "http://127.0.0.1:4318/v1/logs";
const configured = (settings: object) => configOf(logs, { endpoint, ...settings }) as never;

/** An ExportLogsServiceResponse as an HTTP client reads it. */
const partial = (rejected: number, message: string): string =>
  bytesField(1, [numberField(1, rejected), bytesField(2, message)]).toString();

describe("otlp.logs", () => {
  it("keeps as dead letters what a receiver may have rejected", () => {
    for (const body of [partial(1, "too old"), partial(300, "too old"), partial(3, `too old${" ".repeat(200)}`)])
      assert.throws(
        () => logs.accept?.({ status: 200, headers: {}, body }, numbered(4)),
        (error) =>
          error instanceof DeliveryError &&
          error.fault.reason === "partial" &&
          !error.fault.retryable &&
          error.fault.failed === undefined &&
          /too old/.test(String(error.said)),
      );
  });

  it("takes an answer that rejects nothing as delivered", () => {
    const warned = bytesField(1, [bytesField(2, "an attribute is deprecated")]).toString();
    for (const body of ["", "\n\0", "ok", "{}", partial(0, "a warning"), warned])
      assert.doesNotThrow(() => logs.accept?.({ status: 200, headers: {}, body }, numbered(4)), body);
  });

  it("sends the headers that OpenTelemetry's notation names", () => {
    const headers = "authorization=Bearer%20a%2Cb, x-tenant = red=1,odd,%=50%";
    assert.deepEqual(logs.request(numbered(1), configured({ headers }), context).headers, {
      "User-Agent": "Falcosidekick",
      "Content-Type": "application/x-protobuf",
      authorization: "Bearer a,b",
      "x-tenant": "red=1",
      "%": "50%",
    });
  });

  it("is off for gRPC and for headers that are none", () => {
    assert.deepEqual(logs.check?.(configured({ protocol: "grpc" })), [
      "protocol: grpc is not available: give the HTTP endpoint",
    ]);
    assert.equal(logs.check?.(configured({ headers: "a b=c" }))?.length, 1);
  });

  it("writes times and long texts as they are", () => {
    const record = (alert: Parameters<typeof sampleAlert>[0]) => {
      const { body } = logs.request([sampleAlert(alert)], configured({}), context);
      assert.ok(body instanceof Uint8Array);
      return JSON.parse(readLogs(body)).resourceLogs[0].scopeLogs[0].logRecords[0];
    };
    const output = "é".repeat(100_000);
    assert.equal(record({ output }).body.stringValue, output);
    assert.equal(record({ time: "2025-01-15T12:20:30.000000001+02:00" }).timeUnixNano, "1736936430000000001");
    assert.equal(record({ time: "1960-01-01T00:00:00Z" }).timeUnixNano, "0");
    assert.deepEqual(
      [record({ priority: "Emergency" }), record({ priority: "Debug" })].map(({ severityNumber }) => severityNumber),
      [21, 5],
    );
  });
});
