/** Texts made safe the way Go's html, js and urlquery do it. */

const htmlText: Readonly<Record<string, string>> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

/** Go's template.HTMLEscapeString. */
export const escapeHtml = (text: string): string => text.replaceAll(/[\0"'&<>]/g, (c) => htmlText[c] ?? c);

const jsText: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
};

const hex4 = (c: string): string => `\\u${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/** Go's template.JSEscapeString. */
export const escapeJs = (text: string): string =>
  text.replaceAll(/[\\'"<>&=\u0000-\u001f]|[^\u0000-\u007f]/gu, (c) => {
    const known = jsText[c];
    if (known !== undefined) return known;
    return c < " " || !isPrintable(c) ? hex4(c) : c;
  });

/** Go's url.QueryEscape; halves of character pairs become U+FFFD. */
export const escapeQuery = (text: string): string =>
  encodeURIComponent(text.toWellFormed())
    .replaceAll("%20", "+")
    .replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII blank. */
export const isPrintable = (c: string): boolean => c === " " || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(c);

const quoted: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

/** Go's strconv.Quote; `ascii`: nothing beyond ASCII stays. */
export const quote = (text: string, mark = '"', ascii = false): string => {
  let out = mark;
  for (const c of text.toWellFormed()) {
    const code = c.codePointAt(0) ?? 0;
    if (c === mark) out += `\\${c}`;
    else if (quoted[c] !== undefined) out += quoted[c];
    else if (code < 0x80 || !ascii ? isPrintable(c) : false) out += c;
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (code < 0x10000) out += `\\u${code.toString(16).padStart(4, "0")}`;
    else out += `\\U${code.toString(16).padStart(8, "0")}`;
  }
  return out + mark;
};
