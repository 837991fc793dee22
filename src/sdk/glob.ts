/** Whole names with `*` for any text and `?` for one character, case-sensitive. */
export type NameTest = (name: string) => boolean;

/** Goes back at most to the last `*`: time is the length of the name times that of the pattern, which configuration holds. */
export const nameTest = (pattern: string): NameTest => {
  if (!/[*?]/.test(pattern)) return (name) => name === pattern;
  const parts = [...pattern.replaceAll(/\*+/g, "*")];
  return (name) => {
    const text = [...name];
    let part = 0;
    let at = 0;
    let star = -1;
    let from = 0;
    while (at < text.length) {
      if (parts[part] === "*") {
        star = part++;
        from = at;
      } else if (part < parts.length && (parts[part] === "?" || parts[part] === text[at])) {
        part++;
        at++;
      } else if (star >= 0) {
        part = star + 1;
        at = ++from;
      } else return false;
    }
    return part === parts.length || (part === parts.length - 1 && parts[part] === "*");
  };
};

/** True for a name that fits one of the patterns. */
export const anyNameTest = (patterns: readonly string[]): NameTest => {
  const tests = patterns.map(nameTest);
  return (name) => tests.some((test) => test(name));
};
