/** A destination's own words about what it refused: what people need to mend it, without what must not be shown. */

/** UTF-16 units that are looked at; delivery masks secrets in them and then shows far fewer (src/deliver/failure.ts). */
const most = 2000;

/** At most `limit` UTF-16 units: the middle goes, for the reason stands at either end. */
export const fitWords = (text: string, limit: number): string => {
  if (text.length <= limit) return text;
  const tail = Math.floor(limit / 3);
  return `${text.slice(0, limit - tail - 3)}...${text.slice(-tail)}`.toWellFormed();
};

/** One line of well-formed text without control and formatting characters (which could turn a line around). */
export const oneLine = (text: string): string =>
  fitWords(text, most)
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim();

/** The words in the body of an answer: of JSON the members that say something, of a page its title, else its text. */
export const wordsOf = (body: string): string => {
  const text = body.trim();
  if (text.startsWith("<")) return oneLine(markupWords(text));
  if (!/^[[{"]/.test(text)) return oneLine(text);
  try {
    return oneLine(jsonWords(JSON.parse(text)));
  } catch {
    return oneLine(text);
  }
};

/** Of HTML the title, of AWS's and Azure's XML code and message. */
const markupWords = (text: string): string =>
  [...text.slice(0, 65_536).matchAll(/<(?:title|code|message)>([^<]{1,500})</gi)]
    .slice(0, 3)
    .map(([, words]) => words)
    .join(": ");

const kinds = ["type", "errorType", "code", "errorCode"];
const sayings = ["reason", "message", "Message", "text", "title", "detail", "detailed_error", "description"];
const alsoSaid = ["error_description", "errorMessage", "err", "error", "info"];
const spoken: ReadonlySet<string> = new Set([...kinds, ...sayings, ...alsoSaid]);
/** Members that hold further faults; below the plural ones every name is that of a field. */
const inner: ReadonlySet<string> = new Set(["error", "errors", "_errors", "response", "caused_by", "details", "data"]);

type Members = Readonly<Record<string, unknown>>;

/** What the members say, those of a list or of fields one after the other: `code 50035: Invalid; embeds.0.title: Too long`. */
export const jsonWords = (value: unknown): string => {
  const said = new Set<string>();
  gather(value, { path: "", fields: false, depth: 0 }, said);
  return [...said].join("; ");
};

interface Within {
  readonly path: string;
  readonly fields: boolean;
  readonly depth: number;
}

const gather = (value: unknown, at: Within, said: Set<string>): void => {
  if (said.size >= 10 || at.depth > 12 || value === null) return;
  const say = (text: string): void => {
    if (text.trim() !== "") said.add(at.path === "" ? text : `${at.path}: ${text}`);
  };
  const depth = at.depth + 1;
  if (typeof value === "string") say(value);
  else if (Array.isArray(value)) for (const item of value.slice(0, 10)) gather(item, { ...at, depth }, said);
  else if (typeof value === "object") {
    say(sentence(value as Members));
    for (const [name, member] of Object.entries(value).slice(0, 50)) {
      if (inner.has(name) && typeof member === "object")
        gather(member, { path: at.path, fields: at.fields || name.endsWith("errors"), depth }, said);
      else if (at.fields && !spoken.has(name))
        gather(member, { path: at.path === "" ? name : `${at.path}.${name}`, fields: true, depth }, said);
    }
  }
};

const sentence = (value: Members): string => {
  const kind = kinds.map((name) => value[name]).find((it) => it !== "" && ["string", "number"].includes(typeof it));
  const texts = [...sayings, ...alsoSaid]
    .map((name) => value[name])
    .filter((it) => typeof it === "string" && it !== "");
  if (texts.length === 0 && typeof kind !== "string") return "";
  const first = typeof kind === "number" ? [`code ${kind}`] : typeof kind === "string" ? [kind] : [];
  return [...new Set([...first, ...texts])].join(": ");
};
