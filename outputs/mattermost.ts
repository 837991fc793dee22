import { type AttachmentStyle, attachmentFields, attachmentMessage, messageFaults } from "../src/sdk/attachment.ts";
import { postJson } from "../src/sdk/http.ts";
import { inMarkdown } from "../src/sdk/markup.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";

const style: AttachmentStyle = {
  order: ["rule", "hostname", "priority", "source", "tags", "fields", "time"],
  limit: 16_383,
  inert: inMarkdown,
};

export default defineHttpOutput({
  name: "mattermost",
  display: "Mattermost",
  category: "chat",
  about: "Mattermost, through an incoming webhook.",
  fields: attachmentFields,
  example: { webhookurl: "http://127.0.0.1:8065/hooks/XXXX" },
  enabled: (config) => config.webhookurl !== "",
  warn: (config) => messageFaults(config),
  request: ([alert], config) => postJson(config.webhookurl, attachmentMessage(alert, config, style)),
});
