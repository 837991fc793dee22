import { type Alert, rawEvent } from "./alert.ts";

/** How an alert becomes a line: `text` tells it all for people, `output` is its output text alone, `json` the raw event. */
export const lineFormats = ["text", "output", "json"] as const;
export type LineFormat = (typeof lineFormats)[number];

/** One line without its end. Control characters, which could break it or rewrite a terminal, are shown escaped. */
export const lineOf = (alert: Alert, format: LineFormat): string => {
  if (format === "json") return rawEvent(alert);
  if (format === "output") return visible(alert.output);
  const from = `${alert.source}${alert.hostname ? `@${alert.hostname}` : ""}`;
  return visible(`${alert.time} ${alert.priority} [${from}] ${alert.rule}: ${alert.output}`);
};

const visible = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) =>
    c === "\n" ? "\\n" : `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
