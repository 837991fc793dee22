/**
 * Where a problem is: a chain of places from the file down to the token. Offsets and columns count bytes and YAML lines
 * start at 0, conditions at 1, as Falco reports them; a place inside a condition is the sum of both.
 */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

/** A rules file: `text` as JavaScript has it; `bytes` is the same as one character per UTF-8 byte. */
export interface RulesFile {
  readonly name: string;
  readonly text: string;
  readonly bytes: string;
}

export const rulesFile = (name: string, text: string): RulesFile => ({ name, text, bytes: toBytes(text) });

const ascii = /^[\x00-\x7f]*$/;
/** One character per UTF-8 byte. */
export const toBytes = (text: string): string => (ascii.test(text) ? text : Buffer.from(text).toString("latin1"));
const fromBytes = (bytes: string): string => (ascii.test(bytes) ? bytes : Buffer.from(bytes, "latin1").toString());

export interface Context {
  readonly parent?: Context;
  readonly file: RulesFile;
  /** Falco's word for the kind of item: `rule`, `value for`, `rule condition`. */
  readonly type: string;
  readonly item: string;
  /** Offset of the YAML node in the file's text; absent: the file as a whole. */
  readonly at?: number;
  readonly condition?: ConditionSpot;
}

interface ConditionSpot {
  /** The condition as written, which names the place and is excerpted. */
  readonly text: string;
  readonly place: TextPlace;
}

export const fileContext = (file: RulesFile): Context => ({ file, type: "rules content", item: "" });

export const within = (parent: Context, type: string, item: string, at: number): Context => ({
  parent,
  file: parent.file,
  type,
  item,
  at,
});

/** A spot in a condition: `index` counts into `parsed`, which is `text` after lists were put in. */
export const inCondition = (parent: Context, text: string, place: TextPlace): Context => ({
  parent,
  file: parent.file,
  type: "condition expression",
  item: "",
  condition: { text, place },
});

/** Line and column (from 1) and byte offset of an index; both line feed and carriage return end a line. */
export const conditionPlace = (parsed: string, index: number): TextPlace => {
  const before = toBytes(parsed.slice(0, index));
  let line = 1;
  let column = 1;
  for (let i = 0; i < before.length; i++) {
    const c = before.charCodeAt(i);
    if (c === 10 || c === 13) {
      line++;
      column = 1;
    } else column++;
  }
  return { line, column, offset: before.length };
};

/** The place without a position, as some of Falco's warnings have it. */
export const nowhere: TextPlace = { line: 0, column: 0, offset: 0 };

const filePlace = (file: RulesFile, at: number): TextPlace => {
  const before = toBytes(file.text.slice(0, at));
  const start = before.lastIndexOf("\n") + 1;
  let line = 0;
  for (let i = before.indexOf("\n"); i >= 0; i = before.indexOf("\n", i + 1)) line++;
  return { line, column: before.length - start, offset: before.length };
};

export const placeOf = (context: Context): TextPlace => {
  const { condition, parent } = context;
  if (condition === undefined) return context.at === undefined ? nowhere : filePlace(context.file, context.at);
  const base = parent === undefined ? nowhere : placeOf(parent);
  return {
    line: base.line + condition.place.line,
    column: base.column + condition.place.column,
    offset: base.offset + condition.place.offset,
  };
};

const shortName = (text: string): string => {
  const bytes = toBytes(text);
  return fromBytes(`"${bytes.length > 20 ? `${bytes.slice(0, 17)}...` : bytes}"`.replaceAll(/[\r\n]/g, " "));
};

export interface Location {
  readonly item_type: string;
  readonly item_name: string;
  readonly position: TextPlace & { readonly name: string };
}

/** From the file inwards. */
export const locationsOf = (context: Context): readonly Location[] => [
  ...(context.parent === undefined ? [] : locationsOf(context.parent)),
  {
    item_type: context.type,
    item_name: context.item,
    position: {
      name: context.condition === undefined ? context.file.name : shortName(context.condition.text),
      ...placeOf(context),
    },
  },
];

const nothing = "<No context available>\n";

/** The line around the place, at most `width` bytes, and a caret under it. */
export const snippetOf = (context: Context, width = 160): string => {
  const content = context.condition?.text ? toBytes(context.condition.text) : context.file.bytes;
  if (content === "") return nothing;
  const half = width / 2;
  let spot = placeOf(context).offset;
  while (spot > 0 && (spot >= content.length || content[spot] === "\n")) spot--;
  let from = spot;
  while (from > 0 && content[from] !== "\n" && spot - from < half) from--;
  let to = spot;
  while (to < content.length - 1 && content[to] !== "\n" && to - spot < half) to++;
  if (content[from] === "\n") from++;
  if (content[to] === "\n") to--;
  let line = content.slice(from, to + 1);
  if (line === "") return nothing;
  if (spot - from >= half) line = `...${line.slice(3)}`;
  if (to - spot >= half) line = `${line.slice(0, -3)}...`;
  const caret = spot - from <= line.length ? `${" ".repeat(spot - from)}^\n` : "";
  return fromBytes(`${line}\n${caret}`);
};
