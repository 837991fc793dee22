/** Order of text by its UTF-8 bytes, as Go and Falco sort: differs from JavaScript's only where surrogate pairs are involved. */

const pair = /[\ud800-\udfff]/;

export const compareBytewise = (a: string, b: string): number => {
  if (a === b) return 0;
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
