import type { Alert, FieldValue } from "../../src/sdk/alert.ts";
import { sampleAlert } from "./hostile-alerts.ts";

const { rawJSON } = JSON as unknown as { rawJSON(text: string): FieldValue };

const fields = (entries: Iterable<readonly [string, FieldValue]>): Partial<Alert> => ({
  output_fields: Object.assign(Object.create(null), Object.fromEntries(entries)) as Alert["output_fields"],
});
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
/** The i-th of names that a destination without blanks and dots cannot tell apart. */
const alike = (i: number, marks: string): string =>
  [...i.toString(2).padStart(16, "0")].map((bit) => `n${marks[Number(bit)]}`).join("");
const long = (i: number): string => `${i}-`.padEnd(600, "é");
const nested = (depth: number): FieldValue =>
  times(depth, () => 0).reduce<FieldValue>((inner) => ({ n: [inner] }), "leaf");

/** Alerts of about `n` bytes, named for what they are to break. */
export const growingAlerts: Readonly<Record<string, (n: number) => Alert>> = {
  "names that differ in blanks and _": (n) => sampleAlert(fields(times(n / 40, (i) => [alike(i, " _"), "v"]))),
  "names that differ in . and _": (n) => sampleAlert(fields(times(n / 40, (i) => [alike(i, "._"), "v"]))),
  "names of strange letters": (n) => sampleAlert(fields(times(n / 20, (i) => [String.fromCodePoint(0x4e00 + i), "v"]))),
  "names that are counted already": (n) =>
    sampleAlert(fields(times(n / 20, (i) => (i % 2 ? [`a.b_${i}`, "v"] : [alike(i, "._"), "v"])))),
  "one name of _": (n) => sampleAlert(fields([[`${"_".repeat(n)}a${"_".repeat(n)}a`, "v"]])),
  "one name of brackets and dots": (n) => sampleAlert(fields([["a[.".repeat(n / 3), "v"]])),
  "many long fields that the text repeats": (n) => {
    const texts = times(n / 2400, long);
    return sampleAlert({ output: texts.join(" "), ...fields(texts.map((text, i) => [`f${i}`, text])) });
  },
  "a long field that nearly stands in the text": (n) =>
    sampleAlert({ output: "a".repeat(n), ...fields([["f", `${"a".repeat(64)}b${"a".repeat(n / 2)}`]]) }),
  "many long fields of one letter": (n) =>
    sampleAlert({ output: "a".repeat(n / 2), ...fields(times(n / 1400, (i) => [`f${i}`, "a".repeat(600 + i)])) }),
  "many short fields": (n) => sampleAlert(fields(times(n / 16, (i) => [`f${i}`, `v${i}`]))),
  "many tags": (n) => sampleAlert({ tags: times(n / 8, (i) => `t${i}`) }),
  "many tags and a long text": (n) => sampleAlert({ tags: times(n / 16, (i) => `t${i}`), output: "é".repeat(n / 4) }),
  "many fields of the hub's own": (n) => {
    const names = times(n / 24, (i) => `a${i % 2 ? "." : "_"}${i >> 1}`);
    return sampleAlert({ ...fields(names.map((name) => [name, "v"])), added: names });
  },
  "one long list": (n) => sampleAlert(fields([["list", times(n / 4, (i) => i)]])),
  "many lists": (n) => sampleAlert(fields(times(n / 30, (i) => [`l${i}`, ["x", i, null]]))),
  "deep values": (n) => sampleAlert(fields([["deep", nested(Math.min(n / 60, 4000))]])),
  "long numbers": (n) => sampleAlert(fields([["n_drop", rawJSON("9".repeat(n))]])),
  "text of markup": (n) => {
    const text = "<&>`*_~|[](){}\\@!#\"' ".repeat(n / 88);
    return sampleAlert({ output: text, rule: text, hostname: text, ...fields([[text, text]]) });
  },
  "text of backslashes": (n) => sampleAlert({ output: "\\".repeat(n), ...fields([["f", "\\".repeat(n)]]) }),
  "text of opening marks": (n) => sampleAlert({ output: "[<!`*".repeat(n / 5), rule: "[<!`*".repeat(n / 5) }),
  "text of blanks and lines": (n) => sampleAlert({ output: " \r\n\t".repeat(n / 4), rule: " ".repeat(n) }),
  "text of half characters": (n) =>
    sampleAlert({ output: "\ud83d".repeat(n / 3), ...fields([["f", "\ude00".repeat(n / 3)]]) }),
  "a rule that nearly fits": (n) => sampleAlert({ rule: "a".repeat(n) }),
};
