import { parseTime } from "../../src/sdk/rfc3339.ts";

/** What Loki says when it does not take all entries of a push: it keeps the others. */

/** One entry of a push, as it was sent: the stream's labels and the time in nanoseconds. */
export interface Entry {
  readonly labels: Readonly<Record<string, string>>;
  readonly ns: bigint;
}

/**
 * The places of the entries that a 400 is about; `elsewhere` are those of other streams, about which it says nothing, since
 * Loki reports one stream at a time. Undefined: the answer is about no single entries.
 */
export const refusedEntries = (
  text: string,
  entries: readonly Entry[],
): { readonly refused: readonly number[]; readonly elsewhere: readonly number[] } | undefined => {
  if (!/too far behind|out of order|too old|too new|ignored, reason/i.test(text)) return undefined;
  const isMeant = streamTest(text);
  const places = [...entries.keys()];
  const meant = places.filter((i) => isMeant((entries[i] as Entry).labels));
  const among = meant.length > 0 ? meant : places;
  const nsOf = (i: number): bigint => (entries[i] as Entry).ns;
  const named = new Set(
    [...text.matchAll(/entry with timestamp (\S+ \S+) \S+ \S+ ignored/g)].map(([, at]) => nanos(`${at}Z`)),
  );
  const oldest = limit(text, /oldest acceptable timestamp is: ([^\s',;]{1,64})/);
  const tooNew = limit(text, /has timestamp too new: ([^\s',;]{1,64})/);
  const refused = new Set(
    among.filter(
      (i) =>
        named.has(nsOf(i)) ||
        (oldest !== undefined && nsOf(i) < oldest) ||
        (tooNew !== undefined && nsOf(i) / second >= tooNew / second),
    ),
  );
  // Of many it names some and counts all: they are the oldest.
  const total = Number(/total ignored: (\d{1,9}) out of/.exec(text)?.[1] ?? 0);
  for (const i of among.toSorted((a, b) => (nsOf(a) < nsOf(b) ? -1 : nsOf(a) > nsOf(b) ? 1 : a - b))) {
    if (refused.size >= total) break;
    refused.add(i);
  }
  if (refused.size === 0) return undefined;
  const own = new Set(among);
  return { refused: places.filter((i) => refused.has(i)), elsewhere: places.filter((i) => !own.has(i)) };
};

const second = 1_000_000_000n;

/** Streams that the answer names; Loki may have given them labels of its own. */
const streamTest = (text: string): ((labels: Entry["labels"]) => boolean) => {
  const from = text.search(/stream:? '?\{/);
  if (from < 0) return () => false;
  const end = text.indexOf('"}', from);
  const named = text.slice(from, end < 0 ? undefined : end + 1);
  const said = new Map(
    [...named.matchAll(/(\w{1,200})="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [
      name ?? "",
      unquoted(value ?? ""),
    ]),
  );
  return (labels) => Object.entries(labels).every(([name, value]) => said.get(name) === value);
};

/** The entries of a stream that Loki does not open, having too many; undefined: the answer is about something else. */
export const unopenedStream = (
  text: string,
  entries: readonly Entry[],
): { readonly refused: readonly number[]; readonly elsewhere: readonly number[] } | undefined => {
  if (!/stream limit exceeded/i.test(text)) return undefined;
  const isMeant = streamTest(text);
  const places = [...entries.keys()];
  const refused = places.filter((i) => isMeant((entries[i] as Entry).labels));
  return refused.length === 0 ? undefined : { refused, elsewhere: places.filter((i) => !refused.includes(i)) };
};

const unquoted = (value: string): string => {
  try {
    return JSON.parse(`"${value}"`) as string;
  } catch {
    return value;
  }
};

const limit = (text: string, pattern: RegExp): bigint | undefined => {
  const at = pattern.exec(text)?.[1];
  return at === undefined ? undefined : nanos(at);
};

/** `2025-01-15 10:20:30.123456789Z` and RFC 3339, as nanoseconds; undefined: neither. */
const nanos = (written: string): bigint | undefined => {
  const { seconds, nanos: rest } = parseTime(written.replace(" ", "T")) ?? {};
  return seconds === undefined ? undefined : BigInt(seconds) * second + BigInt(rest ?? 0);
};
