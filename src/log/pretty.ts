import { printable } from "../sdk/printable.ts";

/** Keys of a record that have their own place in the line. */
const shown = new Set(["level", "time", "msg", "output", "err"]);

/** A record as falcosidekick prints one: `2026/11/21 02:53:01 [INFO]  : Slack - sent (alerts=3)`. */
export const prettyLine = (json: string): string => {
  const record = JSON.parse(json) as Record<string, unknown>;
  const level = `[${String(record.level).toUpperCase()}]`.padEnd(8);
  const output = typeof record.output === "string" ? `${record.output} - ` : "";
  const rest = Object.entries(record)
    .filter(([key]) => !shown.has(key))
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const error = errorText(record.err);
  const text = [String(record.msg ?? ""), error].filter(Boolean).join(": ");
  const said = `${level}: ${output}${text}${rest.length > 0 ? ` (${rest.join(" ")})` : ""}`;
  // One record stays one line: text of a sender must not be able to forge the next one.
  return `${stamp(Number(record.time))} ${printable(said)}\n`;
};

const errorText = (err: unknown): string => {
  if (typeof err !== "object" || err === null || !("message" in err)) return "";
  return String(err.message);
};

const two = (n: number): string => String(n).padStart(2, "0");

const stamp = (ms: number): string => {
  const t = new Date(ms);
  const day = `${t.getFullYear()}/${two(t.getMonth() + 1)}/${two(t.getDate())}`;
  return `${day} ${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
};
