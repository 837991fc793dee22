import { type AttachmentStyle, attachmentFields, attachmentMessage, messageFaults } from "../src/sdk/attachment.ts";
import { DeliveryError } from "../src/sdk/errors.ts";
import type { Config } from "../src/sdk/fields.ts";
import { text } from "../src/sdk/fields.ts";
import { jsonHeaders } from "../src/sdk/http.ts";
import { inSlack } from "../src/sdk/markup.ts";
import { type Alert, defineOutput, type Host } from "../src/sdk/output.ts";

const fields = { ...attachmentFields, channel: text("Channel to post to instead of the webhook's own.") };

const style: AttachmentStyle = {
  order: ["rule", "priority", "source", "hostname", "tags", "fields", "time"],
  limit: 40_000,
  inert: inSlack,
};

/** The message of one alert. */
export const message = (alert: Alert, config: Config<typeof fields>) => ({
  ...(config.channel && { channel: config.channel }),
  ...attachmentMessage(alert, config, style),
});

export default defineOutput({
  name: "slack",
  display: "Slack",
  category: "chat",
  about: "Slack, through an incoming webhook.",
  fields,
  example: { webhookurl: "http://127.0.0.1:8080/services/XXXX/YYYY/ZZZZ", channel: "#security" },
  enabled: (config) => config.webhookurl !== "",
  warn: (config) => messageFaults(config),
  open: async (config, host) => {
    const { IncomingWebhook, IncomingWebhookRequestError } = await import("@slack/webhook");
    return {
      send: async ([alert], signal) => {
        const webhook = new IncomingWebhook(config.webhookurl, {
          fetch: hostFetch(host, signal),
          retryConfig: { retries: 0 },
        });
        try {
          await webhook.send(message(alert, config) as unknown as Parameters<typeof webhook.send>[0]);
        } catch (error) {
          const cause = error instanceof IncomingWebhookRequestError ? error.original : error;
          if (cause instanceof DeliveryError) throw cause;
          throw new DeliveryError("the Slack client failed", { reason: "bug", retryable: true });
        }
      },
    };
  },
});

/** The client's transport: its request over the output's own connections, under the hub's headers. */
const hostFetch =
  (host: Host, signal: AbortSignal): typeof fetch =>
  async (url, init) => {
    const reply = await host.http({ url: String(url), headers: jsonHeaders, body: String(init?.body) }, signal);
    // All that the client reads of an answer: one that is no success was thrown above.
    return { ok: true, status: reply.status, text: async () => reply.body } as Response;
  };
