import { checkValue, gap, quote, skipBlank, skipString } from "./grammar.ts";
import { JsonNode } from "./node.ts";

/** What is known of a text when several values of it are read, in their order. */
export interface Backslashes {
  /** The first backslash at or behind the place that was asked about last, the end of the text if there is none; -1: not yet known. */
  next: number;
}

/**
 * The JSON value at `at` of a text (blanks before it skipped), every character checked; undefined: not JSON. The first
 * `levels` levels of containers come indexed, which costs little beside the check. Who reads a text value by value gives
 * the same `slashes` each time: else each value would cost what all that follow it are long.
 */
export const readJson = (
  text: string,
  at: number,
  levels: number,
  slashes: Backslashes = { next: -1 },
): JsonNode | undefined => {
  const start = skipBlank(text, at);
  const next = nextSlash(text, start, slashes);
  const solid = read(text, start, { levels, blanks: false, left: maxIndexed, slashes }, 1);
  if (solid) return solid;
  slashes.next = next;
  return read(text, start, { levels, blanks: true, left: maxIndexed, slashes }, 1);
};

/** Containers indexed ahead for one text; the rest is indexed when asked for, so that no text makes millions at once. */
const maxIndexed = 65_536;

interface Reading {
  readonly levels: number;
  /** Blanks between tokens are allowed; what is read without is solid. */
  readonly blanks: boolean;
  left: number;
  readonly slashes: Backslashes;
}

/** Where the next backslash is. Places are asked about in the order of the text, so that it is searched once in all. */
const nextSlash = (text: string, from: number, slashes: Backslashes): number => {
  if (slashes.next < from) {
    const next = text.indexOf("\\", from);
    slashes.next = next < 0 ? text.length : next;
  }
  return slashes.next;
};

const read = (text: string, at: number, reading: Reading, depth: number): JsonNode | undefined => {
  const c = text.charCodeAt(at);
  if (depth <= reading.levels && (c === 123 || c === 91)) return readContainer(text, at, reading, depth);
  const end = checkValue(text, at, depth, reading.blanks);
  return end < 0 ? undefined : new JsonNode(text, at, end, !reading.blanks);
};

const readContainer = (text: string, at: number, reading: Reading, depth: number): JsonNode | undefined => {
  const { blanks, slashes } = reading;
  const object = text.charCodeAt(at) === 123;
  const close = object ? 125 : 93;
  const spans: number[] = [];
  const children: (JsonNode | undefined)[] = [];
  const slash = nextSlash(text, at, slashes);
  // What lies between the keys of an event is long, and most often holds a backslash; keys at the last level are close together.
  const eachKey = depth < reading.levels;
  let escapes = false;
  reading.left--;
  let i = gap(text, at + 1, blanks);
  while (text.charCodeAt(i) !== close || spans.length > 0) {
    if (object) {
      const end = text.charCodeAt(i) === quote ? skipString(text, i + 1) : -1;
      const colon = end < 0 ? -1 : gap(text, end, blanks);
      if (text.charCodeAt(colon) !== 58) return undefined;
      spans.push(i + 1, end - 1);
      if (eachKey && nextSlash(text, i + 1, slashes) < end) escapes = true;
      i = gap(text, colon + 1, blanks);
    }
    const ahead = depth < reading.levels && text.charCodeAt(i) > 90 && reading.left > 0;
    const inner = ahead ? read(text, i, reading, depth + 1) : undefined;
    const end = inner ? inner.end : checkValue(text, i, depth + 1, blanks);
    if (end < 0) return undefined;
    if (inner) children[(spans.length - (object ? 2 : 0)) / (object ? 4 : 2)] = inner;
    spans.push(i, end);
    i = gap(text, end, blanks);
    const c = text.charCodeAt(i);
    if (c === close) break;
    if (c !== 44) return undefined;
    i = gap(text, i + 1, blanks);
  }
  const node = new JsonNode(text, at, i + 1, !blanks);
  node.adopt(spans, children, eachKey ? escapes : slash > i ? false : undefined);
  return node;
};
