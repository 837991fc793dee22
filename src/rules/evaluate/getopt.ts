/**
 * Short options among words, by a specification as in getopt(3): `ab:c`. Without `option`: every option found, each
 * followed by its value if it takes one, `?` for an unknown one. With `option`: its last value, the letter itself for one
 * that takes none; undefined when it is not there. Words in long form are passed over; the first plain word ends it all.
 */
export const getopt = (
  words: readonly string[],
  specification: string,
  option: string | undefined,
): readonly string[] | string | undefined => {
  const found: string[] = [];
  const note = (letter: string, value?: string): void => {
    if (option === undefined) found.push(letter, ...(value === undefined ? [] : [value]));
    else if (option === letter) found.push(value ?? letter);
  };
  const { takes, lacking } = readSpecification(specification);
  for (let w = 0; w < words.length; w++) {
    const word = words[w] ?? "";
    if (word === "--" || word === "-" || !word.startsWith("-")) break;
    if (word.startsWith("--")) continue;
    for (let i = 1; i < word.length; i++) {
      const letter = word.charAt(i);
      const takesValue = takes.get(letter);
      if (takesValue === undefined) {
        if (option === undefined) found.push("?");
      } else if (!takesValue) note(letter);
      else if (i + 1 < word.length) {
        note(letter, word.slice(i + 1));
        break;
      } else if (w + 1 < words.length) {
        note(letter, words[++w] ?? "");
        break;
      } else if (option === undefined || option === letter) found.push(lacking);
    }
  }
  return option === undefined ? found : found.at(-1);
};

/** Which letters there are and whether they take a value; a leading colon turns the mark of a lacking value into one. */
const readSpecification = (specification: string): { takes: ReadonlyMap<string, boolean>; lacking: ":" | "?" } => {
  const silent = specification.startsWith(":");
  const takes = new Map<string, boolean>();
  for (let i = silent ? 1 : 0; i < specification.length; i++) {
    const letter = specification.charAt(i);
    if (letter !== ":") takes.set(letter, specification[i + 1] === ":");
  }
  return { takes, lacking: silent ? ":" : "?" };
};
