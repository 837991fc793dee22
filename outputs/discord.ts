import type { Priority } from "../src/sdk/alert.ts";
import { flag, text, url } from "../src/sdk/fields.ts";
import { postJson } from "../src/sdk/http.ts";
import { inFence, inMarkdown } from "../src/sdk/markup.ts";
import { colourIcon, everything, fit, fitFields, readable, textOnly } from "../src/sdk/message.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";
import { goTime } from "../src/sdk/rfc3339.ts";

const colours: Readonly<Record<Priority, string>> = {
  Emergency: "15158332",
  Alert: "11027200",
  Critical: "15105570",
  Error: "15844367",
  Warning: "12745742",
  Notice: "3066993",
  Informational: "3447003",
  Debug: "12370112",
};

/** Discord's limits: characters of a text, of a field, of a message, and fields of a message. */
const limits = { text: 4096, name: 256, value: 1024, message: 6000, fields: 25 };

export default defineHttpOutput({
  name: "discord",
  display: "Discord",
  category: "chat",
  about: "Discord, through a channel's webhook.",
  fields: {
    webhookurl: url("URL of the webhook.", { secret: true }),
    icon: text("Picture shown beside the message; empty: none.", colourIcon),
    allfields: flag("Show numbers, booleans and lists of the alert too; false: text only, as falcosidekick.", true),
  },
  example: { webhookurl: "http://127.0.0.1:8080/api/webhooks/XXXX/YYYY" },
  enabled: (config) => config.webhookurl !== "",
  request: ([alert], config) => {
    const { output, fields } = readable(alert, config.allfields ? everything : textOnly);
    const { rule, priority, source, hostname = "", tags } = alert;
    const cut = (text: string, limit: number): string => fit(inMarkdown(text), limit);
    const before = rows({ rule: cut(rule, 500), priority, source: cut(source, 256), hostname: cut(hostname, 256) });
    const after = rows({ tags: cut(tags.join(", "), limits.value), time: goTime(alert.time) });
    const own = [...before, ...after].reduce((sum, { name, value }) => sum + name.length + value.length, 0);
    const description = cut(output, Math.min(limits.text, limits.message - own));
    const count = limits.fields - before.length - after.length;
    // Each value stands between two times three backticks.
    const total = limits.message - own - description.length - 6 * count;
    const room = { count, name: limits.name, value: limits.value - 6, total };
    const written = fields.slice(0, count).map(([name, value]) => [inMarkdown(name), inFence(value)] as const);
    const shown = fitFields(written, room).map(([name, value]) => ({
      name: name || "-",
      value: `\`\`\`${value}\`\`\``,
      inline: true,
    }));
    const embed = {
      title: "",
      url: "",
      description,
      color: colours[priority],
      fields: [...before, ...shown, ...after],
    };
    return postJson(config.webhookurl, {
      content: "",
      ...(config.icon && { avatar_url: config.icon }),
      embeds: [embed],
      allowed_mentions: { parse: [] },
    });
  },
});

/** Discord refuses a field without a value. */
const rows = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => ({ name, value, inline: true }));
