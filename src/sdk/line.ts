import { type Alert, rawEvent } from "./alert.ts";
import { printable } from "./printable.ts";

/** How an alert becomes a line: `text` tells it all for people, `output` is its output text alone, `json` the raw event. */
export const lineFormats = ["text", "output", "json"] as const;
/** One of `lineFormats`. */
export type LineFormat = (typeof lineFormats)[number];

/** One line without its end; what could break it or steer a terminal is escaped, but in the raw event only what JSON escapes. */
export const lineOf = (alert: Alert, format: LineFormat): string => {
  if (format === "json") return rawEvent(alert);
  if (format === "output") return printable(alert.output);
  const from = `${alert.source}${alert.hostname ? `@${alert.hostname}` : ""}`;
  return printable(`${alert.time} ${alert.priority} [${from}] ${alert.rule}: ${alert.output}`);
};
