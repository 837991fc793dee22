import { priorityLevel, rawEvent } from "../src/sdk/alert.ts";
import { printedValue } from "../src/sdk/field-text.ts";
import { oddValue, secret, text, url } from "../src/sdk/fields.ts";
import { joinUrl, postJson } from "../src/sdk/http.ts";
import { inMarkdown, leftToRight } from "../src/sdk/markup.ts";
import { readable } from "../src/sdk/message.ts";
import { type Alert, defineHttpOutput } from "../src/sdk/output.ts";
import { goTime } from "../src/sdk/rfc3339.ts";

export default defineHttpOutput({
  name: "gotify",
  display: "Gotify",
  category: "chat",
  about: "Gotify, as an application's message.",
  fields: {
    hostport: url("URL of the server."),
    token: secret("Token of the application."),
    format: text("markdown, plaintext (or text), or json: the raw event.", "markdown"),
  },
  example: { hostport: "http://127.0.0.1:8080", token: "AbCdEf" },
  enabled: (config) => config.hostport !== "",
  warn: ({ format }) =>
    oddValue("format", format.toLowerCase(), ["markdown", "plaintext", "text", "json"], "markdown is used"),
  request: ([alert], { hostport, token, format }) => {
    const written = format.toLowerCase();
    const plain = written === "plaintext" || written === "text";
    const payload = {
      title: `[Falco] [${alert.priority}] ${inMarkdown(alert.rule.toWellFormed())}`,
      priority: priorityLevel(alert.priority),
      message: written === "json" ? rawEvent(alert) : message(alert, plain ? plaintext : markdown),
      extras: { "client::display": { contentType: plain || written === "json" ? "plaintext" : "markdown" } },
    };
    return postJson(joinUrl(hostport, "/message"), payload, token ? { "X-Gotify-Key": token } : {});
  },
});

interface Style {
  readonly row: (name: string, value: string) => string;
  readonly field: (name: string, value: string) => string;
  readonly inert: (text: string) => string;
}

const markdown: Style = {
  row: (name, value) => `- **${name}**:${value}\n`,
  field: (name, value) => `\t- **${name}**: ${value}\n`,
  inert: inMarkdown,
};
const plaintext: Style = {
  row: (name, value) => `${name}:${value}\n`,
  field: (name, value) => `- ${name}: ${value}\n`,
  inert: leftToRight,
};

const message = (alert: Alert, { row, field, inert }: Style): string => {
  const { output, fields } = readable(alert, { printed: printedValue });
  const tags = alert.tags.map((tag) => `${tag} `).join("");
  const { rule, source, priority } = alert;
  const own = { Priority: priority, Rule: rule, Output: output, Source: source, Tags: tags, Time: goTime(alert.time) };
  return [
    ...Object.entries(own).map(([name, value]) => row(name, ` ${inert(value.toWellFormed())}`)),
    row("Fields", ""),
    ...fields.map(([name, value]) => field(inert(name), inert(value))),
  ].join("");
};
