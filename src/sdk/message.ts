/** What messages to people share: colours, pictures, lengths, and the fields that are shown. */
import { type Alert, type Priority, rawEvent } from "./alert.ts";
import { type FieldText, type Kinds, textFields } from "./field-text.ts";

/** falcosidekick's default footer. */
export const projectPage = "https://github.com/falcosecurity/falcosidekick";
/** falcosidekick's default picture. */
export const colourIcon =
  "https://raw.githubusercontent.com/falcosecurity/falcosidekick/master/imgs/falcosidekick_color.png";

/** Bars beside messages in Slack, Rocket.Chat and Mattermost: Error is red like Emergency, Alert and Critical are orange. */
export const attachmentColours: Readonly<Record<Priority, string>> = {
  Emergency: "#e20b0b",
  Alert: "#ff5400",
  Critical: "#ff5400",
  Error: "#e20b0b",
  Warning: "#ffc700",
  Notice: "#5bffb5",
  Informational: "#68c2ff",
  Debug: "#ccfff2",
};

/** Colours of cards and mails, one per priority, without `#`. */
export const cardColours: Readonly<Record<Priority, string>> = {
  Emergency: "e20b0b",
  Alert: "ff5400",
  Critical: "ff9000",
  Error: "ffc700",
  Warning: "ffff00",
  Notice: "5bffb5",
  Informational: "68c2ff",
  Debug: "ccfff2",
};

const mark = "[...]";

/** At most `limit` UTF-16 units of well-formed text; a cut one ends in `[...]` and never splits a character. */
export const fit = (text: string, limit: number): string => {
  const whole = text.toWellFormed();
  if (whole.length <= limit) return whole;
  const cut = whole.slice(0, Math.max(0, limit - mark.length));
  return (cut.isWellFormed() ? cut : cut.slice(0, -1)) + mark;
};

/** At most `limit` bytes of UTF-8; a cut text ends in `[...]` and never splits a character. */
export const fitBytes = (text: string, limit: number): string => {
  if (text.length * 3 <= limit || Buffer.byteLength(text) <= limit) return text;
  const bytes = Buffer.from(text);
  let end = Math.max(0, limit - mark.length);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end) + mark;
};

/** All that a row can hold, and what falcosidekick shows. */
export const everything: Kinds = { scalars: true, lists: true };
/** Texts alone, which is what falcosidekick shows in chats. */
export const textOnly: Kinds = {};

/** Made at a scale of 1, which is halved until it fits; at less than a hundredth it is taken as it is. */
export const halved = <T>(make: (scale: number) => T, fits: (made: T) => boolean): T => {
  for (let scale = 1; ; scale /= 2) {
    const made = make(scale);
    if (scale < 0.01 || fits(made)) return made;
  }
};

/** Long fields that are replaced in the text, and the start of one by which it is looked for: more would cost more than the length. */
const mostSought = 16;
const sample = 64;

/**
 * The alert for a destination that people read: its text, and its fields of these kinds. When the raw event exceeds 4096
 * bytes, texts above 512 bytes are cut, in the fields and where the alert's text repeats them.
 */
export const readable = (
  alert: Alert,
  kinds: Kinds = textOnly,
): { readonly output: string; readonly fields: readonly FieldText[] } => {
  const found = textFields(alert, kinds);
  const fields = found.every(([name, text]) => name.isWellFormed() && text.isWellFormed())
    ? found
    : found.map(([name, text]) => [name.toWellFormed(), text.toWellFormed()] as const);
  const whole = alert.output.toWellFormed();
  if (Buffer.byteLength(rawEvent(alert)) <= 4096) return { output: whole, fields };
  let output = whole;
  let sought = 0;
  const short = fields.map(([name, text]) => {
    const cut = fitBytes(text, 512);
    if (cut !== text && sought < mostSought && output.includes(text.slice(0, sample))) {
      sought += 1;
      output = replaceText(output, text, cut);
    }
    return [name, cut] as const;
  });
  return { output, fields: short };
};

/** `replaceAll` in time that grows with the lengths, which the engine's own search of long texts does not promise (Knuth, Morris, Pratt). */
const replaceText = (text: string, sought: string, by: string): string => {
  const borders = new Int32Array(sought.length);
  for (let i = 1, k = 0; i < sought.length; i++) {
    while (k > 0 && sought.charCodeAt(i) !== sought.charCodeAt(k)) k = borders[k - 1] as number;
    if (sought.charCodeAt(i) === sought.charCodeAt(k)) k++;
    borders[i] = k;
  }
  const parts: string[] = [];
  let from = 0;
  for (let i = 0, k = 0; i < text.length; i++) {
    while (k > 0 && text.charCodeAt(i) !== sought.charCodeAt(k)) k = borders[k - 1] as number;
    if (text.charCodeAt(i) === sought.charCodeAt(k)) k++;
    if (k < sought.length) continue;
    parts.push(text.slice(from, i + 1 - k));
    from = i + 1;
    k = 0;
  }
  return from === 0 ? text : [...parts, text.slice(from)].join(by);
};

/** What a destination takes of an alert's fields, in UTF-16 units. */
export interface Room {
  readonly count: number;
  readonly name: number;
  readonly value: number;
  /** Of all names and values together. */
  readonly total: number;
}

/** The first fields that fit; names and values that are too long are cut. The same list when nothing is. */
export const fitFields = (fields: readonly FieldText[], room: Room): readonly FieldText[] => {
  const kept: FieldText[] = [];
  let left = room.total;
  let whole = fields.length <= room.count;
  for (const field of whole ? fields : fields.slice(0, room.count)) {
    const name = fit(field[0], room.name);
    const value = fit(field[1], room.value);
    left -= name.length + value.length;
    if (left < 0) return kept;
    whole = whole && name === field[0] && value === field[1];
    kept.push([name, value]);
  }
  return whole ? fields : kept;
};

/** The function, remembering its last hundred results: for templates and lists that configuration holds as text. */
export const remember = <T>(make: (text: string) => T): ((text: string) => T) => {
  const known = new Map<string, T>();
  return (text) => {
    let value = known.get(text);
    if (value === undefined) {
      value = make(text);
      if (known.size >= 100) known.clear();
      known.set(text, value);
    }
    return value;
  };
};
