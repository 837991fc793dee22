/**
 * What steers a terminal, breaks a line or turns the order of what is read: control characters of both sets, line and
 * paragraph separators, marks and embeddings of bidirectional text.
 */
const steering = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const steeringInLines = /(?!\n)[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const escaped = (c: string): string => (c === "\n" ? "\\n" : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Text from outside as one line that can do none of that, as JSON escapes it: JSON text keeps its meaning. */
export const printable = (text: string): string => (text.search(steering) < 0 ? text : text.replace(steering, escaped));

/**
 * The same for JSON text, where the control characters below the blank are escaped already: of ASCII only DEL is left, and that
 * it is ASCII is quickly seen.
 */
export const printableJson = (json: string): string =>
  Buffer.byteLength(json) === json.length && !json.includes("\u007f") ? json : printable(json);

/** The same for several lines. */
export const printableLines = (text: string): string =>
  text.search(steeringInLines) < 0 ? text : text.replace(steeringInLines, escaped);
