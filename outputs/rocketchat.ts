import { type AttachmentStyle, attachmentFields, attachmentMessage, messageFaults } from "../src/sdk/attachment.ts";
import { postJson } from "../src/sdk/http.ts";
import { inMarkdown } from "../src/sdk/markup.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

const style: AttachmentStyle = {
  order: ["rule", "priority", "source", "tags", "fields", "time", "hostname"],
  limit: 5000,
  inert: inMarkdown,
};

export default defineHttpOutput({
  name: "rocketchat",
  display: "Rocketchat",
  category: "chat",
  about: "Rocket.Chat, through an incoming webhook.",
  fields: attachmentFields,
  example: { webhookurl: "http://127.0.0.1:8080/hooks/XXXX/YYYY" },
  enabled: (config) => config.webhookurl !== "",
  warn: (config) => messageFaults(config),
  request: ([alert], config) => {
    const message = attachmentMessage(alert, config, style);
    // Rocket.Chat shows no footer, and refuses null for fields.
    const attachments = message.attachments
      .map(({ footer: _, fields, ...attachment }) => (fields ? { ...attachment, fields } : attachment))
      .filter((attachment) => "text" in attachment || "fields" in attachment);
    return postJson(config.webhookurl, { ...message, attachments: attachments.length > 0 ? attachments : undefined });
  },
});
