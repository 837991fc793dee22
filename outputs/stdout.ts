import type { Alert } from "../src/sdk/alert.ts";
import { rawEvent } from "../src/sdk/alert.ts";
import { DeliveryError } from "../src/sdk/errors.ts";
import { choice, flag } from "../src/sdk/fields.ts";
import { defineOutput } from "../src/sdk/output.ts";

/** One line a person can read; control characters, which could rewrite a terminal, are shown escaped. */
const readable = (alert: Alert): string =>
  `${alert.time} ${alert.priority} [${alert.source}${alert.hostname ? `@${alert.hostname}` : ""}] ${alert.rule}: ${alert.output}`.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (c) => (c === "\n" ? "\\n" : `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`),
  );

export default defineOutput({
  name: "stdout",
  display: "Stdout",
  category: "other",
  about: "Writes one line per alert to standard output; the hub's choice when nothing else is configured.",
  fields: {
    enabled: flag("Writes alerts to standard output."),
    format: choice("`text` is a readable line, `json` the raw event.", ["text", "json"], "text"),
  },
  example: { enabled: true },
  batch: { items: 500 },
  concurrency: 1,
  enabled: (c) => c.enabled,
  open: (c) => ({
    send: (alerts) =>
      new Promise((resolve, reject) => {
        const print = c.format === "json" ? rawEvent : readable;
        process.stdout.write(`${alerts.map(print).join("\n")}\n`, (error) =>
          error
            ? reject(new DeliveryError("standard output is closed", { reason: "network", retryable: true }))
            : resolve(),
        );
      }),
  }),
});
