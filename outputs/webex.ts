import { printedValue } from "../src/sdk/field-text.ts";
import { url } from "../src/sdk/fields.ts";
import { postJson } from "../src/sdk/http.ts";
import { inHtml } from "../src/sdk/markup.ts";
import { fit, fitFields, halved, readable } from "../src/sdk/message.ts";
import { type Alert, defineHttpOutput } from "../src/sdk/output.ts";

/** Bytes that a message may have. */
const largest = 7439;
/** UTF-16 units; tags. Halved until the message fits. */
const limits = { output: 3000, property: 250, tags: 60, fields: { count: 100, name: 150, value: 600, total: 3500 } };

export default defineHttpOutput({
  name: "webex",
  display: "Webex",
  category: "chat",
  about: "Webex, through an incoming webhook.",
  fields: { webhookurl: url("URL of the incoming webhook.", { secret: true }) },
  example: { webhookurl: "http://127.0.0.1:8080/v1/webhooks/incoming/XXXX" },
  enabled: (config) => config.webhookurl !== "",
  request: ([alert], config) => {
    const markdown = halved(
      (scale) => message(alert, scale),
      (made) => Buffer.byteLength(made) <= largest,
    );
    return postJson(config.webhookurl, { markdown });
  },
});

const message = (alert: Alert, scale: number): string => {
  const { output, fields } = readable(alert, { printed: printedValue });
  const { count, name, value, total } = limits.fields;
  const put = (text: string, limit = limits.property): string => fit(inHtml(text), limit * scale);
  const written = fields.slice(0, count * scale).map(([n, v]) => [inHtml(n), inHtml(v)] as const);
  const shown = fitFields(written, { count, name, value: value * scale, total: total * scale });
  const tags = alert.tags.slice(0, limits.tags * scale);
  return [
    `# Falco Rule '${put(alert.rule)}'\n\n### ${put(output, limits.output)}\n\nAdditional informations:\n`,
    `  * Hostname: ${put(alert.hostname ?? "")}\n  * Source:   ${put(alert.source)}  \n  * Priority: ${alert.priority}\n`,
    `  * Tags:\n    \n${tags.map((tag) => `    * ${put(tag)}\n    \n`).join("")}`,
    `  * Fields:\n\t\n${shown.map(([n, v]) => `\t* ${n}: ${v}\n\t\n`).join("")}`,
  ].join("");
};
