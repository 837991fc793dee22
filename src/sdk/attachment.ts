import type { Alert } from "./alert.ts";
import type { FieldText } from "./field-text.ts";
import { type Config, flag, text, url } from "./fields.ts";
import {
  attachmentColours,
  colourIcon,
  everything,
  fit,
  fitFields,
  projectPage,
  readable,
  textOnly,
} from "./message.ts";
import { goTime } from "./rfc3339.ts";
import { renderMessage, templateFaults } from "./template/message.ts";

/** The keys that Slack, Rocket.Chat and Mattermost share. */
export const attachmentFields = {
  webhookurl: url("URL of the incoming webhook.", { secret: true }),
  username: text("Name that the messages appear under.", "Falcosidekick"),
  icon: text("Picture shown beside the message; empty: none.", colourIcon),
  footer: text("Line under the message; empty: none.", projectPage),
  outputformat: text(
    "What the message shows: all, text (the alert's output only) or fields (everything else); any other value: neither.",
    "all",
  ),
  messageformat: text(
    "Go template of a text above the alert; it sees .Rule, .Priority, .Output, .OutputFields and more.",
    "",
    { raw: true },
  ),
  allfields: flag("Show numbers, booleans and lists of the alert too; false: text only, as falcosidekick.", true),
};

/** Parsed values of `attachmentFields`. */
export type AttachmentConfig = Config<typeof attachmentFields>;

/** falcosidekick starts with a template that does not parse, and sends its messages without it: so a warning. */
export const messageFaults = ({
  messageformat,
  outputformat,
}: Pick<AttachmentConfig, "messageformat" | "outputformat">): readonly string[] => [
  ...templateFaults("messageformat", messageformat).map((fault) => `${fault}; messages are sent without it`),
  ...formatFaults(outputformat, ["all", "text", "fields"]),
];

/** As falcosidekick, which compares the words as they are written. */
export const formatFaults = (outputformat: string, known: readonly string[]): readonly string[] =>
  outputformat === "" || known.includes(outputformat)
    ? []
    : [`outputformat: is none of ${known.join(", ")}: messages show neither the text nor the rest`];

/** One row of an attachment; `short` rows stand side by side. */
export interface Row {
  readonly title: string;
  readonly value: string;
  readonly short: boolean;
}

/** `fields` stands for the alert's output fields, the others for its own properties. */
export type RowName = "rule" | "priority" | "source" | "hostname" | "tags" | "fields" | "time";

/** One attachment in Slack's legacy form, its keys in the order in which falcosidekick 2.34 writes them; `fields: null` when no row is shown. */
export interface Attachment {
  readonly fallback: string;
  readonly color: string;
  readonly text?: string;
  readonly fields: readonly Row[] | null;
  readonly footer?: string;
}

/** The body of a webhook's message, as falcosidekick 2.34 sends it. */
export interface AttachmentMessage {
  readonly text?: string;
  readonly username?: string;
  readonly icon_url?: string;
  readonly attachments: readonly Attachment[];
}

/** Longest text of an attachment, in UTF-16 units; rows beside the alert's own, and the longest of those. */
const longest = 40_000;
const room = { count: 500, name: 300, value: 3000, total: 60_000 };

/** Of a destination: the order of its rows, its longest text above the attachment in UTF-16 units, and its markup. */
export interface AttachmentStyle {
  readonly order: readonly RowName[];
  readonly limit: number;
  readonly inert: (text: string) => string;
}

/** A message with one attachment. */
export const attachmentMessage = (
  alert: Alert,
  config: AttachmentConfig,
  { order, limit, inert }: AttachmentStyle,
): AttachmentMessage => {
  const { output, fields } = readable(alert, config.allfields ? everything : textOnly);
  const shown = fit(inert(output), longest);
  const format = config.outputformat || "all";
  const withText = format === "all" || format === "text";
  const withRows = format === "all" || format === "fields";
  const heading = config.messageformat && renderMessage(config.messageformat, alert, inert);
  return {
    ...(heading && { text: fit(heading, limit) }),
    ...(config.username && { username: config.username }),
    ...(config.icon && { icon_url: config.icon }),
    attachments: [
      {
        fallback: shown,
        color: attachmentColours[alert.priority],
        ...(withText && shown && { text: shown }),
        fields: withRows ? order.flatMap((name) => rows(name, alert, fields, inert)) : null,
        ...(withRows && config.footer && { footer: config.footer }),
      },
    ],
  };
};

const rows = (
  name: RowName,
  alert: Alert,
  fields: readonly FieldText[],
  inert: (text: string) => string,
): readonly Row[] => {
  if (name === "fields") {
    const written = fields.slice(0, room.count).map(([title, value]) => [inert(title), inert(value)] as const);
    return fitFields(written, room).map(([title, value], i) => ({
      title,
      value,
      short: isShort(fields[i]?.[1] ?? ""),
    }));
  }
  if (name === "time") return [{ title: name, value: goTime(alert.time), short: false }];
  const value = name === "tags" ? alert.tags.join(", ") : (alert[name] ?? "");
  return value === "" ? [] : [{ title: name, value: fit(inert(value), room.value), short: true }];
};

/** Fewer than 36 characters, of which one may be two UTF-16 units. */
const isShort = (value: string): boolean => value.length < 36 || (value.length < 72 && [...value].length < 36);
