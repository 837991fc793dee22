import { type Config, flag, text, url } from "../src/sdk/fields.ts";
import { postJson } from "../src/sdk/http.ts";
import { inHtml } from "../src/sdk/markup.ts";
import { everything, fit, halved, readable, textOnly } from "../src/sdk/message.ts";
import { type Alert, defineHttpOutput } from "../src/sdk/output.ts";
import { goTime } from "../src/sdk/rfc3339.ts";
import { renderMessage, templateFaults } from "../src/sdk/template/message.ts";

const fields = {
  webhookurl: url("URL of the space's webhook, with its key and token.", { secret: true }),
  outputformat: text("text: the message's text alone; any other value: the card too.", "all"),
  messageformat: text("Go template of a text above the card; it sees .Rule, .Priority, .Output and more.", "", {
    raw: true,
  }),
  cardsv2: flag("Send cards in Google's current form; false: the older one, as falcosidekick."),
  allfields: flag("Show numbers, booleans and lists of the alert too; false: text only, as falcosidekick.", true),
};
type Settings = Config<typeof fields>;

/** Bytes that a message may have. */
const largest = 32_000;
/** UTF-16 units of the text and of one row; rows beside the alert's own. Halved until the message fits. */
const limits = { text: 8000, row: 2000, rows: 80 };

export default defineHttpOutput({
  name: "googlechat",
  display: "GoogleChat",
  category: "chat",
  about: "Google Chat, through a space's webhook.",
  fields,
  example: { webhookurl: "http://127.0.0.1:8080/v1/spaces/XXXX/messages?key=YYYY&token=ZZZZ" },
  enabled: (config) => config.webhookurl !== "",
  warn: ({ messageformat }) =>
    templateFaults("messageformat", messageformat).map((fault) => `${fault}; messages are sent without it`),
  request: ([alert], config) =>
    halved(
      (scale) => postJson(config.webhookurl, message(alert, config, scale)),
      ({ body = "" }) => Buffer.byteLength(body) <= largest,
    ),
});

const message = (alert: Alert, config: Settings, scale: number) => {
  const { output, fields } = readable(alert, config.allfields ? everything : textOnly);
  const inert = (text: string, limit: number): string => fit(inHtml(text), limit * scale);
  const alone = config.outputformat === "text";
  const { rule, priority, source, hostname, tags } = alert;
  const rows = [
    ...Object.entries({ rule, priority, source, ...(hostname && { hostname }) }),
    ...fields.slice(0, limits.rows * scale),
    ...(tags.length > 0 ? [["tags", tags.join(", ")] as const] : []),
    ["time", goTime(alert.time)] as const,
  ].map(([name, value]) => [inert(name, 300), inert(value, limits.row)] as const);
  const rendered = config.messageformat && renderMessage(config.messageformat, alert, inHtml);
  // Google Chat refuses a message that holds nothing.
  const heading = rendered || (alone ? inHtml(output) || inHtml(rule) : "");
  return {
    ...(heading && { text: fit(heading, limits.text * scale) }),
    ...(!alone && (config.cardsv2 ? { cardsV2: [{ cardId: "alert", card: card(rows) }] } : { cards: [legacy(rows)] })),
  };
};

type Rows = readonly (readonly [name: string, value: string])[];

const legacy = (rows: Rows) => ({
  header: { title: "", subtitle: "" },
  sections: [{ widgets: rows.map(([topLabel, content]) => ({ keyValue: { topLabel, content } })) }],
});

const card = (rows: Rows) => ({
  sections: [{ widgets: rows.map(([topLabel, text]) => ({ decoratedText: { topLabel, text, wrapText: true } })) }],
});
