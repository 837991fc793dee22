/**
 * Texts of alerts, which senders choose, made inert in the markup of a destination: no mention, no link behind other words, no
 * block that swallows what follows. Text that holds none of these stays byte for byte.
 */

/** Stands between characters that together mean something; nobody sees it, and no dialect of Markdown knows an escape that all others know. */
const gap = "\u200b";

/** Turns text around, so that it reads as what it is not. */
const direction = /[\u202a-\u202e\u2066-\u2069]/g;
/** With U+FFFD in place of every character that turns the direction of text. */
export const leftToRight = (text: string): string => text.replaceAll(direction, "\ufffd");

const runs = /`{3,}/g;
const broken = (run: string): string => [...run].join(gap);

/** What is replaced holds one of these; most text holds none. */
const suspicious = /[[\]@`#>\u202a-\u202e\u2066-\u2069]/;

/** What all dialects share. */
const inert = (text: string): string => (suspicious.test(text) ? replaceMarkup(text) : text);

const replaceMarkup = (text: string): string =>
  leftToRight(text)
    // Links and pictures, and the lines that give a link its address elsewhere.
    .replaceAll("](", `]${gap}(`)
    .replaceAll(/^([ \t]{0,3}\[[^\]\n]{0,200}\])(?=:)/gm, `$1${gap}`)
    // Mentions; an address of mail is none.
    .replaceAll(/(?<![A-Za-z0-9_])@(?=[\p{L}\p{N}_&!])/gu, `@${gap}`)
    .replaceAll(runs, broken)
    // Headings and quotations.
    .replaceAll(/^([ \t]{0,3})(?=[#>])/gm, `$1${gap}`);

/** Markdown as chats have it, with `<@id>`, `<!channel>` and `<https://…|words>`. */
export const inMarkdown = (text: string): string =>
  inert(text).replaceAll(/<(?=[!@#:]|\/?[a-z][a-z0-9+.-]*:)/gi, `<${gap}`);

/** Markdown beside HTML: what begins a tag is text. `<NA>`, which Falco writes for no value, is none. */
export const inHtml = (text: string): string => inert(text).replaceAll(/<(?!NA>)(?=[a-z!?/@#:])/gi, `<${gap}`);

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** Slack's: three characters are entities, by which mentions and links are text. */
export const inSlack = (text: string): string => inert(text).replaceAll(/[&<>]/g, (c) => entities[c] ?? c);

/** Between two times three backticks of the hub's. Not all that shows a message shows blocks: what is within is inert itself. */
export const inFence = (text: string): string => inMarkdown(text).replace(/^`/, `${gap}\``).replace(/`$/, `\`${gap}`);

/** Datadog's: events mention people, and are Markdown from `%%%` on. */
export const inDatadog = (text: string): string => inert(text).replaceAll("%%%", `%${gap}%${gap}%`);

/** Telegram's MarkdownV2: a backslash stands before each character that could mean something, and before a backslash. */
export const inTelegram = (text: string): string => text.replaceAll(/[\\_*[\]()~`>#+\-=|{}.!]/g, "\\$&");
