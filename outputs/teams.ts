import { formatFaults } from "../src/sdk/attachment.ts";
import { DeliveryError } from "../src/sdk/errors.ts";
import { type Config, flag, text, url } from "../src/sdk/fields.ts";
import { postJson } from "../src/sdk/http.ts";
import { inHtml } from "../src/sdk/markup.ts";
import { cardColours, colourIcon, everything, fit, halved, readable, textOnly } from "../src/sdk/message.ts";
import { type Alert, defineHttpOutput } from "../src/sdk/output.ts";
import { goTime } from "../src/sdk/rfc3339.ts";
import { wordsOf } from "../src/sdk/words.ts";

const fields = {
  webhookurl: url("URL of a workflow's webhook, or of a connector.", { secret: true }),
  activityimage: text("Picture shown beside the message; empty: none.", colourIcon),
  outputformat: text("What the card shows: all, text or facts; any other value: neither.", "all"),
  cardtype: text("messagecard or adaptivecard; empty: adaptivecard for the URLs of workflows, else messagecard."),
  allfields: flag("Show numbers, booleans and lists of the alert too; false: text only, as falcosidekick.", true),
};
type Settings = Config<typeof fields>;

/** Bytes that a message may have. */
const largest = 28_672;
/** UTF-16 units of the text, which goes twice, and of one fact; facts beside the alert's own. Halved until the message fits. */
const limits = { text: 8000, fact: 1000, facts: 50 };

export default defineHttpOutput({
  name: "teams",
  display: "Teams",
  category: "chat",
  about: "Microsoft Teams: an adaptive card for workflows, a message card for connectors.",
  fields,
  example: { webhookurl: "http://127.0.0.1:8080/workflows/XXXX" },
  enabled: (config) => config.webhookurl !== "",
  warn: ({ outputformat }) => formatFaults(outputformat, ["all", "text", "facts"]),
  request: ([alert], config) => {
    const adaptive = config.cardtype ? config.cardtype === "adaptivecard" : isWorkflow(config.webhookurl);
    const make = adaptive ? adaptiveCard : messageCard;
    return halved(
      (scale) => postJson(config.webhookurl, make(alert, config, scale)),
      ({ body = "" }) => Buffer.byteLength(body) <= largest,
    );
  },
  /** A connector answers 200 for an event that it could not deliver. */
  accept: (reply) => {
    const status = /delivery failed with error.*HTTP error (\d+)/s.exec(reply.body)?.[1];
    const said = wordsOf(reply.body);
    if (status === "429")
      throw new DeliveryError("Teams is rate limited", { reason: "rate_limited", retryable: true }, said);
    if (status)
      throw new DeliveryError(`Teams refused the message (${status})`, { reason: "partial", retryable: true }, said);
  },
});

const isWorkflow = (url: string): boolean =>
  /^https:\/\/[^/]*\.(logic\.azure\.(com|us|cn)|api\.powerplatform\.(com|us|cn)|flow\.microsoft\.com|powerautomate\.com)(:\d+)?\//i.test(
    url,
  );

const content = (alert: Alert, config: Settings, scale: number) => {
  const { output, fields } = readable(alert, config.allfields ? everything : textOnly);
  const format = config.outputformat || "all";
  const { rule, priority, source, hostname, tags } = alert;
  const facts = Object.entries({ rule, priority, source, ...(hostname && { hostname }) }).concat(
    fields.slice(0, limits.facts * scale).map(([name, value]) => [name, value]),
    tags.length > 0 ? [["tags", tags.join(", ")]] : [],
  );
  const text = inHtml(output);
  return {
    summary: fit(text, limits.text * scale),
    text: format === "all" || format === "text" ? fit(text, limits.text * scale) : "",
    facts:
      format === "all" || format === "facts"
        ? facts.map(([n, v]) => [fit(inHtml(n), 200), fit(inHtml(v), limits.fact * scale)] as const)
        : [],
  };
};

const messageCard = (alert: Alert, config: Settings, scale: number) => {
  const { summary, text, facts } = content(alert, config, scale);
  return {
    "@type": "MessageCard",
    ...(summary && { summary }),
    themeColor: cardColours[alert.priority],
    sections: [
      {
        activityTitle: "Falcosidekick",
        activitySubtitle: goTime(alert.time),
        ...(config.activityimage && { activityImage: config.activityimage }),
        text,
        ...(facts.length > 0 && { facts: facts.map(([name, value]) => ({ name, value })) }),
      },
    ],
  };
};

const styles = { Debug: "default", Informational: "default", Notice: "accent", Warning: "warning" } as const;

const adaptiveCard = (alert: Alert, config: Settings, scale: number) => {
  const { text, facts } = content(alert, config, scale);
  const style = alert.priority in styles ? styles[alert.priority as keyof typeof styles] : "attention";
  const heading = `${alert.priority}: ${fit(inHtml(alert.rule), 200)}`;
  const body = [
    {
      type: "Container",
      style,
      bleed: true,
      items: [
        { type: "TextBlock", size: "medium", weight: "bolder", wrap: true, text: heading },
        { type: "TextBlock", spacing: "none", isSubtle: true, wrap: true, text: goTime(alert.time) },
      ],
    },
    ...(text ? [{ type: "TextBlock", wrap: true, text }] : []),
    ...(facts.length > 0 ? [{ type: "FactSet", facts: facts.map(([title, value]) => ({ title, value })) }] : []),
  ];
  const card = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    msteams: { width: "Full" },
    body,
  };
  return {
    type: "message",
    attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card }],
  };
};
