import type { Priority } from "../src/sdk/alert.ts";
import { messageFaults } from "../src/sdk/attachment.ts";
import { DeliveryError } from "../src/sdk/errors.ts";
import { type Config, flag, text, url } from "../src/sdk/fields.ts";
import { postJson } from "../src/sdk/http.ts";
import { inMarkdown } from "../src/sdk/markup.ts";
import { colourIcon, everything, fit, fitFields, readable, textOnly } from "../src/sdk/message.ts";
import { type Alert, defineHttpOutput } from "../src/sdk/output.ts";
import { goTime } from "../src/sdk/rfc3339.ts";
import { renderMessage } from "../src/sdk/template/message.ts";
import { wordsOf } from "../src/sdk/words.ts";

const emojis: Readonly<Record<Priority, string>> = {
  Emergency: "🚨",
  Alert: "🟠",
  Critical: "🟠",
  Error: "🚨",
  Warning: "🟡",
  Notice: "🔵",
  Informational: "🟢",
  Debug: "⚪",
};

/** UTF-16 units of a text, and rows of the table beside the alert's own. */
const longest = 5000;
const room = { count: 90, name: 200, value: 1000, total: 20_000 };

const fields = {
  webhookurl: url("URL of the channel's or bot's message API, with its zapikey.", { secret: true }),
  icon: text("Picture shown beside the message; empty: none.", colourIcon),
  outputformat: text("What is shown: all, text or fields (the table alone); any other value: neither.", "all"),
  messageformat: text("Go template of the message's text in place of the alert's, which then stands below it.", "", {
    raw: true,
  }),
  useemoji: flag("Put a coloured sign for the priority before the text."),
  allfields: flag("Show numbers, booleans and lists of the alert too; false: text only, as falcosidekick.", true),
};

export default defineHttpOutput({
  name: "cliq",
  display: "Cliq",
  category: "chat",
  about: "Zoho Cliq, through a webhook token.",
  fields,
  example: { webhookurl: "http://127.0.0.1:8080/api/v2/channelsbyname/falco/message?zapikey=XXXX" },
  enabled: (config) => config.webhookurl !== "",
  warn: (config) => messageFaults(config),
  request: ([alert], config) =>
    postJson(config.webhookurl, message(alert, config), { "Content-Type": "application/json" }),
  /** Cliq's throttle answers 400. */
  refused: ({ status, body }) => {
    if (status === 400 && body.includes("request_limit_exceeded"))
      throw new DeliveryError("Cliq is rate limited", { reason: "rate_limited", retryable: true }, wordsOf(body), 400);
  },
});

const message = (alert: Alert, config: Config<typeof fields>) => {
  const { output, fields } = readable(alert, config.allfields ? everything : textOnly);
  const inert = (text: string, limit: number): string => fit(inMarkdown(text), limit);
  const format = config.outputformat || "all";
  const heading = config.messageformat && renderMessage(config.messageformat, alert, inMarkdown);
  const { rule, priority, hostname } = alert;
  const own = { rule: inert(rule, 500), priority, ...(hostname && { hostname: inert(hostname, 300) }) };
  const written = fields.slice(0, room.count).map(([name, value]) => [inMarkdown(name), inMarkdown(value)] as const);
  const rows = [...Object.entries(own), ...fitFields(written, room), ["time", goTime(alert.time)]];
  const slides: object[] = [];
  if (heading && output && ["all", "text"].includes(format))
    slides.push({ type: "text", data: inert(output, longest) });
  const data = { headers: ["field", "value"], rows: rows.map(([field, value]) => ({ field, value })) };
  if (["all", "fields"].includes(format)) slides.push({ type: "table", data });
  const shown = fit(heading || inMarkdown(output), longest - 3);
  return {
    text: config.useemoji ? `${emojis[priority]} ${shown}` : shown,
    bot: { name: "Falcosidekick", ...(config.icon && { image: config.icon }) },
    ...(slides.length > 0 && { slides }),
  };
};
