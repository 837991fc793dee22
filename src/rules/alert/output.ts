import { bindOperand } from "../bind/bind.ts";
import type { Value } from "../bind/plan.ts";
import { FieldFault, isDoubtful, type Slots } from "../bind/slots.ts";
import { compileExtract } from "../evaluate/closures.ts";
import type { FieldUse, Operand, Transform } from "../syntax/ast.ts";
import { parseOperand } from "../syntax/parse.ts";

/** An output format, ready to be filled from events. */
export interface Format<E> {
  /** The text; a value that is missing reads `<NA>`. `values`: what was read already, in the order of `fields`. */
  readonly render: (event: E, values?: readonly Value[]) => string;
  /** Numbers of the fields it names, in order of first use (slots of the source). */
  readonly fields: readonly number[];
}

/** The format as it was written does not compile; the message is Falco's. */
export class FormatFault extends Error {
  override readonly name = "FormatFault";
}

export const missing = "<NA>";

/** `at`: the part is the value of that one among the format's fields, as it is. */
type Part<E> =
  | string
  | { readonly read: (event: E) => string; readonly width: number; readonly at: number | undefined };

/**
 * `%field`, `%field[arg]`, `%transformer(…)`, `%10field` (padded or cut to 10). A token is the longest text that is a
 * field: `%ka.verbx` is the verb and an `x`. One leading `*` is swallowed. There is no escape for `%`.
 */
export const compileFormat = <E>(written: string, slots: Slots<E>, context: FormatContext = {}): Format<E> => {
  if (written === "") throw new FormatFault("empty formatting token");
  const text = written.startsWith("*") ? written.slice(1) : written;
  const parts: Part<E>[] = [];
  const fields = new Set<number>();
  let rest = 0;
  for (let i = text.indexOf("%"); i >= 0; i = text.indexOf("%", rest)) {
    if (i > rest) parts.push(text.slice(rest, i));
    if (i === text.length - 1) throw new FormatFault("invalid formatting syntax: formatting cannot end with a %");
    const digits = /^\d+/.exec(text.slice(i + 1, i + 12))?.[0] ?? "";
    const start = i + 1 + digits.length;
    if (start >= text.length) throw new FormatFault("invalid formatting syntax: formatting cannot end with a number");
    const token = takeToken(text, start, slots);
    fieldsOf(token.operand, slots, fields);
    const at = plainField(token.operand, slots, [...fields]);
    parts.push({ read: readerOf(token.operand, slots, context), width: Number(digits), at });
    rest = token.end;
  }
  if (rest < text.length) parts.push(text.slice(rest));
  return { render: renderer(parts, context.listBytes), fields: [...fields] };
};

const plainField = <E>(
  operand: FieldUse | Transform,
  slots: Slots<E>,
  fields: readonly number[],
): number | undefined => {
  if (operand.kind !== "field") return undefined;
  const slot = slots.bind(operand.name, operand.arg);
  return slots.bound[slot]?.field.text === undefined ? fields.indexOf(slot) : undefined;
};

export interface FormatContext {
  /** Longest text of a list, in bytes. */
  readonly listBytes?: number;
}

interface Token {
  readonly operand: FieldUse | Transform;
  readonly end: number;
}

const longestToken = 4096;

/** The message is cut short where Falco's own is. */
const unknown = "unknown filter: unexpected token after '";

/**
 * Falco shrinks the token from the end until it compiles. What stopped one length stops every longer one, so the next
 * length to try ends where parsing got to. A field that is only taken on trust gives way to a shorter one that is known.
 */
const takeToken = <E>(text: string, start: number, slots: Slots<E>): Token => {
  let doubtful: Token | undefined;
  for (let end = Math.min(text.length, start + longestToken); end > start; ) {
    const parsed = parseOperand(text.slice(start, end));
    if (parsed.ok) {
      const token = { operand: parsed.value, end: start + parsed.end };
      try {
        if (parsed.value.kind !== "field" || !isDoubtful(slots.catalog, parsed.value.name)) {
          bindOperand(parsed.value, slots);
          return token;
        }
        doubtful ??= token;
      } catch (error) {
        if (!(error instanceof FieldFault)) throw error;
      }
      end = Math.min(end, token.end) - 1;
    } else end = Math.min(end - 1, start + parsed.at);
  }
  if (doubtful !== undefined) return doubtful;
  throw new FormatFault(unknown);
};

const fieldsOf = <E>(operand: Operand, slots: Slots<E>, found: Set<number>): void => {
  if (operand.kind === "field") found.add(slots.bind(operand.name, operand.arg));
  else if (operand.kind === "transform") for (const arg of operand.args) fieldsOf(arg, slots, found);
  else if (operand.kind === "list") for (const item of operand.items) fieldsOf(item, slots, found);
};

const readerOf = <E>(
  operand: FieldUse | Transform,
  slots: Slots<E>,
  context: FormatContext,
): ((event: E) => string) => {
  if (operand.kind === "field") {
    const bound = slots.bound[slots.bind(operand.name, operand.arg)];
    const text = bound?.field.text;
    if (bound !== undefined && text !== undefined) {
      const show = text.bind(bound.field);
      return (event) => show(event, bound.arg) ?? missing;
    }
  }
  const extract = bindOperand(operand, slots);
  const read = compileExtract(
    extract,
    slots.bound.map((bound) => bound.read),
  );
  return (event) => textOf(read(event), context.listBytes);
};

/** Lists read `(a,b)`; leading empty elements lose their comma; the whole is cut. */
export const textOf = (value: Value, limit = 1023): string => {
  if (value === undefined) return missing;
  if (typeof value !== "object") return String(value);
  let joined = "";
  for (const item of value) joined += joined === "" ? item : `,${item}`;
  return cutBytes(`(${joined})`, limit);
};

const cutBytes = (text: string, limit: number): string => {
  if (text.length * 3 <= limit) return text;
  const bytes = Buffer.from(text);
  return bytes.length <= limit ? text : bytes.subarray(0, limit).toString();
};

const renderer =
  <E>(parts: readonly Part<E>[], limit: number | undefined): Format<E>["render"] =>
  (event, values) => {
    let out = "";
    for (const part of parts) {
      if (typeof part === "string") out += part;
      else {
        const { at, width } = part;
        const shown = values !== undefined && at !== undefined ? textOf(values[at], limit) : part.read(event);
        out += width === 0 ? shown : resize(shown, width);
      }
    }
    return out;
  };

/** To exactly so many bytes. */
const resize = (text: string, width: number): string => {
  const bytes = Buffer.from(text);
  return bytes.length > width ? bytes.subarray(0, width).toString() : text + " ".repeat(width - bytes.length);
};
