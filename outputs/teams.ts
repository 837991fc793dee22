import { DeliveryError } from "../src/sdk/errors.ts";
import { type Config, flag, text, url } from "../src/sdk/fields.ts";
import { postJson } from "../src/sdk/http.ts";
import { cardColours, colourIcon, fit, readable } from "../src/sdk/message.ts";
import { type Alert, defineHttpOutput } from "../src/sdk/output.ts";
import { goTime } from "../src/sdk/rfc3339.ts";

const fields = {
  webhookurl: url("URL of a workflow's webhook, or of a connector.", { secret: true }),
  activityimage: text("Picture shown beside the message.", colourIcon),
  outputformat: text("What the card shows: all, text or facts; any other value: neither.", "all"),
  cardtype: text("messagecard or adaptivecard; empty: adaptivecard for the URLs of workflows, else messagecard."),
  allfields: flag("Show numbers and booleans of the alert too, not only text."),
};
type Settings = Config<typeof fields>;

/** A message may have 28 KB; the text goes twice, the facts once. */
const longestText = 8000;
const longestFact = 1000;
const mostFacts = 50;

export default defineHttpOutput({
  name: "teams",
  display: "Teams",
  category: "chat",
  about: "Microsoft Teams: an adaptive card for workflows, a message card for connectors.",
  fields,
  example: { webhookurl: "http://127.0.0.1:8080/workflows/XXXX" },
  enabled: (config) => config.webhookurl !== "",
  request: ([alert], config) => {
    const adaptive = config.cardtype ? config.cardtype === "adaptivecard" : isWorkflow(config.webhookurl);
    return postJson(config.webhookurl, adaptive ? adaptiveCard(alert, config) : messageCard(alert, config));
  },
  /** A connector answers 200 for an event that it could not deliver. */
  accept: (reply) => {
    const status = /delivery failed with error.*HTTP error (\d+)/s.exec(reply.body)?.[1];
    if (status === "429") throw new DeliveryError("Teams is rate limited", { reason: "rate_limited", retryable: true });
    if (status)
      throw new DeliveryError(`Teams refused the message (${status})`, { reason: "partial", retryable: true });
  },
});

const isWorkflow = (url: string): boolean =>
  /^https:\/\/[^/]*\.(logic\.azure\.(com|us|cn)|api\.powerplatform\.(com|us|cn)|flow\.microsoft\.com|powerautomate\.com)(:\d+)?\//i.test(
    url,
  );

const content = (alert: Alert, config: Settings) => {
  const { output, fields } = readable(alert, config.allfields);
  const format = config.outputformat || "all";
  const { rule, priority, source, hostname, tags } = alert;
  const facts = Object.entries({ rule, priority, source, ...(hostname && { hostname }) }).concat(
    fields.slice(0, mostFacts).map(([name, value]) => [name, value]),
    tags.length > 0 ? [["tags", tags.join(", ")]] : [],
  );
  return {
    summary: fit(output, longestText),
    text: format === "all" || format === "text" ? fit(output, longestText) : "",
    facts: format === "all" || format === "facts" ? facts.map(([n, v]) => [n, fit(v, longestFact)] as const) : [],
  };
};

const messageCard = (alert: Alert, config: Settings) => {
  const { summary, text, facts } = content(alert, config);
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

const adaptiveCard = (alert: Alert, config: Settings) => {
  const { text, facts } = content(alert, config);
  const style = alert.priority in styles ? styles[alert.priority as keyof typeof styles] : "attention";
  const heading = `${alert.priority}: ${fit(alert.rule, longestFact)}`;
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
