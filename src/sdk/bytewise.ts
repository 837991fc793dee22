/** Order of text by its UTF-8 bytes, as Go and Falco sort: differs from JavaScript's only where surrogate pairs are involved. */

const pair = /[\ud800-\udfff]/;

/** Below 0: `a` comes first; 0: the same text. */
export const compareBytewise = (a: string, b: string): number => {
  if (a === b) return 0;
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i === end) return a.length - b.length;
  const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
  // Units below the surrogates come in the order of their bytes, also before everything above.
  if (x < 0xd800 || y < 0xd800) return x - y;
  if (pair.test(a) || pair.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
};

/** The same list when it is in order already, else a sorted copy. */
export const sortedBytewise = (items: readonly string[]): readonly string[] => {
  for (let i = 1; i < items.length; i++) {
    if (compareBytewise(items[i - 1] as string, items[i] as string) > 0) return items.toSorted(compareBytewise);
  }
  return items;
};
