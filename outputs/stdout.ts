import { DeliveryError } from "../src/sdk/errors.ts";
import { choice, flag } from "../src/sdk/fields.ts";
import { openTurn } from "../src/sdk/in-turn.ts";
import { lineFormats, lineOf } from "../src/sdk/line.ts";
import { defineOutput } from "../src/sdk/output.ts";
import { printable } from "../src/sdk/printable.ts";

/** Of all instances: what they write comes out at one place. */
const turn = openTurn();

const write = (text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(text, (error) =>
      error
        ? reject(new DeliveryError("standard output is closed", { reason: "network", retryable: true }))
        : resolve(),
    );
  });

export default defineOutput({
  name: "stdout",
  display: "Stdout",
  category: "other",
  about: "Writes one line per alert to standard output; the hub's choice when nothing else is configured.",
  fields: {
    enabled: flag("Writes alerts to standard output."),
    format: choice(
      "`text` is a readable line, `output` the output text alone, `json` the raw event.",
      lineFormats,
      "text",
    ),
  },
  example: { enabled: true },
  batch: { items: 500, bytes: 1_048_576 },
  concurrency: 1,
  enabled: (c) => c.enabled,
  fromFalco: ({ name, json }) =>
    name === "stdout_output" ? { enabled: true, format: json ? "json" : "output" } : undefined,
  open: (c) => ({
    send: (alerts, signal) =>
      turn(signal, () => write(`${alerts.map((alert) => printable(lineOf(alert, c.format))).join("\n")}\n`)),
  }),
});
