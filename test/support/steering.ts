/** What no output for people may hold as it is, within a line: controls of both sets, separators, bidirectional characters. */
export const steering = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** One of each kind, and text that has to stay as it is. */
export const steeringText = "\u001b[2J\u0007\t\u007f\u009b2J\u0085\u061c\u200e\u202egnp.exe\u2066\u2028";
export const plainText = "Zoë \u{1f468}\u200d\u{1f469} 東京 עברית العربية é";
