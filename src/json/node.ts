import { plainEscapes, unescapeJson } from "./escape.ts";
import { compactJson, quote } from "./grammar.ts";
import { hasEscape, type JsonKind, kindAt, spansOf } from "./spans.ts";

/**
 * JSON text read where it lies: nothing is parsed before it is asked for, numbers and escapes keep their spelling, the
 * first of equal keys wins unless asked otherwise (`asRead`). The text must have been found good (`readJson`); on other text the answers are arbitrary,
 * but they come.
 */

/** One value inside a JSON text. Containers are indexed on first use and keep their children. */
export class JsonNode {
  readonly text: string;
  /** Where the value lies in the text, end exclusive. */
  readonly start: number;
  readonly end: number;
  /** Object: key start, key end, value start, value end of each member. Array: value start and end of each element. */
  #spans: number[] | undefined;
  #children: (JsonNode | undefined)[] | undefined;
  #keys: readonly string[] | undefined;
  #escapes: boolean | undefined;

  /** True when the text of the value is known to have no blanks between tokens. */
  readonly solid: boolean;

  constructor(text: string, start: number, end: number, solid = false) {
    this.text = text;
    this.start = start;
    this.end = end;
    this.solid = solid;
  }

  /**
   * Hands over an index made elsewhere: `spans` as `#spans`, `children` by position, whether a key is written with escapes
   * (undefined: not known).
   */
  adopt(spans: number[], children: (JsonNode | undefined)[] | undefined, escapes: boolean | undefined): void {
    this.#spans = spans;
    this.#children = children;
    this.#escapes = escapes;
  }

  get kind(): JsonKind {
    return kindAt(this.text, this.start);
  }

  /** Elements of an array or members of an object; 0 for everything else. */
  get size(): number {
    const kind = this.text.charCodeAt(this.start);
    return kind === 123 ? this.#index().length / 4 : kind === 91 ? this.#index().length / 2 : 0;
  }

  /** The member's value: first the key spelled just so, then the first that says it with escapes. */
  get(key: string): JsonNode | undefined {
    const at = this.#position(key);
    return at < 0 ? undefined : this.at(at);
  }

  /** `get(key)?.asText()`; no node is made but of an object or array. */
  textAt(key: string): string | undefined {
    const at = this.#position(key);
    if (at < 0) return undefined;
    const spans = this.#index();
    const from = spans[at * 4 + 2] as number;
    const end = spans[at * 4 + 3] as number;
    const c = this.text.charCodeAt(from);
    if (c === quote) return unescapeJson(this.text.slice(from + 1, end - 1));
    return c === 123 || c === 91 ? this.at(at)?.asText() : this.text.slice(from, end);
  }

  /** True when `get` finds a value. */
  has(key: string): boolean {
    return this.#position(key) >= 0;
  }

  #position(key: string): number {
    if (this.text.charCodeAt(this.start) !== 123) return -1;
    const literal = this.#find(key);
    return literal < 0 && this.#escaped() ? this.keys().indexOf(key) : literal;
  }

  /**
   * The same value as API servers read it: `get`, here and in all that is inside, takes the last of equal keys however they
   * are spelled, and the text of objects and arrays has no escapes but those that JSON needs.
   */
  asRead(): JsonNode {
    return new ReadNode(this);
  }

  /** True when an object has a member whose key is written just so, without escapes. */
  spells(key: string): boolean {
    return this.text.charCodeAt(this.start) === 123 && this.#find(key) >= 0;
  }

  /** Position of the first member whose key is written just so; -1: none. */
  #find(key: string): number {
    const { text } = this;
    const spans = this.#index();
    const { length } = key;
    const first = key.charCodeAt(0);
    for (let i = 0; i < spans.length; i += 4) {
      const from = spans[i] as number;
      // Cheap tests first: startsWith is a call into the engine (bench/README.md, `lines to events`).
      if ((spans[i + 1] as number) - from !== length || (length > 0 && text.charCodeAt(from) !== first)) continue;
      if (text.startsWith(key, from)) return key.includes("\\") ? -1 : i / 4;
    }
    return -1;
  }

  /** The element of an array, the value of an object's member, by position. */
  at(position: number): JsonNode | undefined {
    const kind = this.text.charCodeAt(this.start);
    if (kind !== 91 && kind !== 123) return undefined;
    const spans = this.#index();
    const step = kind === 91 ? 2 : 4;
    const end = spans[position * step + step - 1];
    return end === undefined ? undefined : this.#child(position, spans[position * step + step - 2] as number, end);
  }

  /** The keys of an object in the order of the text, decoded, doubles included. */
  keys(): readonly string[] {
    if (this.#keys) return this.#keys;
    const spans = this.#index();
    const keys: string[] = [];
    for (let i = 0; i < spans.length; i += 4) keys.push(unescapeJson(this.text.slice(spans[i], spans[i + 1])));
    this.#keys = keys;
    return keys;
  }

  /** Position of the last member with this key, however it is spelled; -1: none. */
  lastNamed(key: string): number {
    const { text } = this;
    const spans = this.#index();
    const { length } = key;
    const first = key.charCodeAt(0);
    const escaped = this.#escaped();
    for (let i = spans.length - 4; i >= 0; i -= 4) {
      const from = spans[i] as number;
      const to = spans[i + 1] as number;
      if (to - from === length) {
        if ((length === 0 || text.charCodeAt(from) === first) && text.startsWith(key, from) && !key.includes("\\"))
          return i / 4;
        // What is spelled with escapes is longer than what it says.
      } else if (
        escaped &&
        to - from > length &&
        hasEscape(text, from, to) &&
        unescapeJson(text.slice(from, to)) === key
      )
        return i / 4;
    }
    return -1;
  }

  /** The key of an object's member as it is written between its quotes. */
  rawKey(position: number): string {
    const spans = this.#index();
    return this.text.slice(spans[position * 4], spans[position * 4 + 1]);
  }

  /** The value as text: a string decoded, everything else as `compact` has it (but see `asRead`). */
  asText(): string {
    const { text, start, end } = this;
    const c = text.charCodeAt(start);
    if (c === quote) return unescapeJson(text.slice(start + 1, end - 1));
    return c === 123 || c === 91 ? this.compact() : text.slice(start, end);
  }

  /** The text of the value without blanks between tokens; spelling, order and doubles stay. */
  compact(): string {
    const { text, start, end } = this;
    return this.solid ? text.slice(start, end) : compactJson(text.slice(start, end));
  }

  #child(position: number, start: number, end: number): JsonNode {
    this.#children ??= [];
    let child = this.#children[position];
    if (!child) {
      child = new JsonNode(this.text, start, end, this.solid);
      this.#children[position] = child;
    }
    return child;
  }

  /** True when a key of the object is written with escapes; looked for once. */
  #escaped(): boolean {
    this.#escapes ??= this.#anyKeyEscaped();
    return this.#escapes;
  }

  #anyKeyEscaped(): boolean {
    const { text, start, end } = this;
    const spans = this.#index();
    const small = end - start <= fewCharacters ? text.slice(start, end) : undefined;
    // Of small values the next backslash anywhere is looked for: that is one call for many keys.
    let next = small === undefined ? 0 : small.indexOf("\\") + start;
    for (let i = 0; i < spans.length; i += 4) {
      const from = spans[i] as number;
      const to = spans[i + 1] as number;
      if (small === undefined) {
        if (hasEscape(text, from, to)) return true;
        continue;
      }
      if (next < start) return false;
      if (next < from) next = small.indexOf("\\", from - start) + start;
      if (next >= from && next < to) return true;
    }
    return false;
  }

  #index(): number[] {
    this.#spans ??= spansOf(this.text, this.start, this.end);
    return this.#spans;
  }
}

/** The text of a value as conditions compare it: that of an object or array without escapes that JSON does not need. */
export const comparableText = (node: JsonNode): string => {
  const { kind } = node;
  return kind === "object" || kind === "array" ? plainEscapes(node.compact()) : node.asText();
};

/** Longer values may hold much beside their keys. */
const fewCharacters = 16_384;

/** What `asRead` gives of a node: it looks at that node's index and keeps views of its children. */
class ReadNode extends JsonNode {
  readonly #source: JsonNode;
  #views: (JsonNode | undefined)[] | undefined;

  constructor(source: JsonNode) {
    super(source.text, source.start, source.end, source.solid);
    this.#source = source;
  }

  override get size(): number {
    return this.#source.size;
  }

  override get(key: string): JsonNode | undefined {
    if (this.text.charCodeAt(this.start) !== 123) return undefined;
    const at = this.#source.lastNamed(key);
    return at < 0 ? undefined : this.at(at);
  }

  override textAt(key: string): string | undefined {
    return this.get(key)?.asText();
  }

  override has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  override at(position: number): JsonNode | undefined {
    this.#views ??= [];
    this.#views[position] ??= this.#source.at(position)?.asRead();
    return this.#views[position];
  }

  override keys(): readonly string[] {
    return this.#source.keys();
  }

  override rawKey(position: number): string {
    return this.#source.rawKey(position);
  }

  override asText(): string {
    const { kind } = this;
    return kind === "object" || kind === "array" ? comparableText(this) : super.asText();
  }

  override asRead(): JsonNode {
    return this;
  }
}
