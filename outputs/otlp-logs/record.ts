import type { Alert, Priority } from "../../src/sdk/alert.ts";
import { bytesField, fixed64Field, numberField } from "../../src/sdk/protobuf.ts";
import { goTime, unixNano } from "../../src/sdk/rfc3339.ts";

/** A KeyValue whose value is a text, as a field of what bears it. */
export const attribute = (field: number, key: string, value: string): Buffer =>
  bytesField(field, [bytesField(1, key), bytesField(2, [bytesField(1, value)])]);

/** A LogRecord within its scope; `now` is the time of the request, in milliseconds. */
export const record = (alert: Alert, now: number): Buffer => {
  const { priority, source, rule, hostname = "", tags } = alert;
  const [severity, name] = severities[priority];
  const own = { priority, source, rule, hostname, tags: tags.join(","), timestamp: goTime(alert.time) };
  const at = BigInt(unixNano(alert.time));
  return bytesField(2, [
    fixed64Field(1, at > 0n ? BigInt.asUintN(64, at) : 0n),
    numberField(2, severity),
    bytesField(3, name),
    bytesField(5, [bytesField(1, alert.output)]),
    ...Object.entries(own).map(([key, value]) => attribute(6, key, value)),
    fixed64Field(11, BigInt(now) * 1_000_000n),
  ]);
};

/** OpenTelemetry's numbers of severity. */
const severities: Readonly<Record<Priority, readonly [number, string]>> = {
  Debug: [5, "DEBUG"],
  Informational: [9, "INFO"],
  Notice: [10, "INFO2"],
  Warning: [13, "WARN"],
  Error: [17, "ERROR"],
  Critical: [18, "ERROR2"],
  Alert: [19, "ERROR3"],
  Emergency: [21, "FATAL"],
};
