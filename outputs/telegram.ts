import { DeliveryError } from "../src/sdk/errors.ts";
import { goValue } from "../src/sdk/field-text.ts";
import { secret, text, url } from "../src/sdk/fields.ts";
import { joinUrl, postJson } from "../src/sdk/http.ts";
import { inMarkdown, inTelegram } from "../src/sdk/markup.ts";
import { fit, fitFields, halved, readable } from "../src/sdk/message.ts";
import { type Alert, defineHttpOutput } from "../src/sdk/output.ts";
import { goTime } from "../src/sdk/rfc3339.ts";
import { wordsOf } from "../src/sdk/words.ts";

/** Characters of a message, markup aside. */
const longest = 4096;
/** UTF-16 units; halved until the message fits. */
const limits = { output: 2000, property: 250, fields: { count: 60, name: 100, value: 600, total: 1800 } };

export default defineHttpOutput({
  name: "telegram",
  display: "Telegram",
  category: "chat",
  about: "Telegram, as a bot in a chat.",
  fields: {
    host: url("URL of the Bot API.", { default: "https://api.telegram.org" }),
    token: secret("Token of the bot."),
    chatid: text("Id of the chat, or the @name of a channel."),
    messagethreadid: text("Id of the topic in the chat; empty: the general one."),
  },
  example: { host: "http://127.0.0.1:8080", token: "123:abc", chatid: "-100123" },
  enabled: (config) => config.token !== "" && config.chatid !== "",
  request: ([alert], { host, token, chatid, messagethreadid }) => {
    // The Bot API knows its token from the path alone.
    const bot = encodeURIComponent(token.toWellFormed()).replaceAll("%3A", ":");
    return postJson(joinUrl(host, `/bot${bot}/sendMessage`), {
      text: halved(
        (scale) => message(alert, scale),
        (made) => made.replaceAll(/\\(.)/gs, "$1").length <= longest,
      ),
      parse_mode: "MarkdownV2",
      disable_web_page_preview: true,
      chat_id: chatid,
      ...(messagethreadid && { message_thread_id: messagethreadid }),
    });
  },
  /** Telegram says in the body how long to wait. */
  refused: ({ status, body }) => {
    const seconds = /"retry_after":\s*(\d{1,6})/.exec(body)?.[1];
    if (status !== 429 || seconds === undefined) return;
    const fault = { reason: "rate_limited", retryable: true, retryAfterMs: Number(seconds) * 1000 } as const;
    throw new DeliveryError("Telegram is rate limited", fault, wordsOf(body), status);
  },
});

const message = (alert: Alert, scale: number): string => {
  const { output, fields } = readable(alert, { printed: goValue });
  const { count, name, value, total } = limits.fields;
  const put = (text: string, limit: number): string => inTelegram(fit(inMarkdown(text), limit * scale));
  const written = fields.slice(0, count).map(([n, v]) => [inMarkdown(n), inMarkdown(v)] as const);
  const shown = fitFields(written, { count, name, value: value * scale, total: total * scale });
  return [
    `*${inTelegram(`[Falco] [${alert.priority}] `)}${put(alert.rule, limits.property)}*`,
    "",
    `• *Time*: ${inTelegram(goTime(alert.time))}`,
    `• *Source*: ${put(alert.source, limits.property)}`,
    `• *Hostname*: ${put(alert.hostname ?? "", limits.property)}`,
    `• *Tags*: ${put(alert.tags.map((tag) => `${tag} `).join(""), limits.property)}`,
    "• *Fields*:",
    ...shown.map(([n, v]) => `\t  • *${inTelegram(n)}*: ${inTelegram(v)}`),
    "",
    "",
    `**Output**: ${put(output, limits.output)}`,
    "",
  ].join("\n");
};
