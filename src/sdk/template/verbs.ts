/** Go's fmt for texts and numbers. Undefined: the verb does not fit the kind. */
import { isPrintable, quote } from "./escape.ts";

/** A verb with its flags, width and precision, as `%-8.3q` has them. */
export interface Spec {
  readonly verb: string;
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

/** `%v` */
export const plainSpec: Spec = Object.freeze({
  verb: "v",
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  width: undefined,
  precision: undefined,
});

const runes = (text: string): number => {
  let count = 0;
  for (const _ of text) count++;
  return count;
};

/** Filled to the width; zeros only where `zero` is set. */
export const pad = (text: string, spec: Spec, zero = spec.zero && !spec.minus): string => {
  const gap = (spec.width ?? 0) - runes(text);
  if (gap <= 0) return text;
  return spec.minus ? text + " ".repeat(gap) : (zero ? "0" : " ").repeat(gap) + text;
};

/** A text under a verb; width and precision count runes. Undefined: the verb is not one for texts. */
export const formatText = (text: string, spec: Spec): string | undefined => {
  switch (spec.verb) {
    case "v":
      return spec.sharp ? pad(quote(text), spec) : pad(cut(text, spec), spec);
    case "s":
      return pad(cut(text, spec), spec);
    case "q": {
      const short = cut(text, spec);
      const raw = spec.sharp && !/[`\u0000-\u0008\u000a-\u001f\u007f\ufeff]/.test(short);
      return pad(raw ? `\`${short}\`` : quote(short, '"', spec.plus), spec);
    }
    case "x":
    case "X":
      return pad(hex(text, spec), spec);
    default:
      return undefined;
  }
};

const cut = (text: string, { precision }: Spec): string =>
  precision === undefined || text.length <= precision ? text : [...text].slice(0, precision).join("");

const hex = (text: string, spec: Spec): string => {
  const bytes = Buffer.from(text).subarray(0, spec.precision);
  if (bytes.length === 0) return "";
  const prefix = spec.sharp ? "0x" : "";
  const digits = bytes.toString("hex");
  const all = spec.space ? digits.replaceAll(/..(?!$)/g, `$& ${prefix}`) : digits;
  return spec.verb === "X" ? (prefix + all).toUpperCase() : prefix + all;
};

const bases: Readonly<Record<string, number>> = { b: 2, o: 8, O: 8, d: 10, v: 10, x: 16, X: 16 };
const prefixes: Readonly<Record<string, string>> = { b: "0b", o: "0", O: "0o", x: "0x", X: "0X" };

/** An integer under a verb. Undefined: the verb is not one for integers. */
export const formatInt = (n: bigint, spec: Spec): string | undefined => {
  const { verb } = spec;
  const base = bases[verb];
  if (base === undefined) return formatRune(n, spec);
  const negative = n < 0n;
  let digits = (negative ? -n : n).toString(base);
  if (verb === "X") digits = digits.toUpperCase();
  const signed = negative || spec.plus || spec.space;
  if (spec.precision === 0 && n === 0n) return pad("", spec, false);
  const zeros = spec.zero && !spec.minus ? (spec.width ?? 0) - (signed ? 1 : 0) : 0;
  digits = digits.padStart(spec.precision ?? zeros, "0");
  if (spec.sharp || verb === "O") {
    if (verb !== "o" || !digits.startsWith("0")) digits = (prefixes[verb] ?? "") + digits;
  }
  const sign = negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  return pad(sign + digits, spec, false);
};

const formatRune = (n: bigint, spec: Spec): string | undefined => {
  const valid = n >= 0n && n <= 0x10ffffn && !(n >= 0xd800n && n < 0xe000n);
  const c = valid ? String.fromCodePoint(Number(n)) : "\ufffd";
  switch (spec.verb) {
    case "c":
      return pad(c, spec);
    case "q":
      return pad(quote(c, "'", spec.plus), spec);
    case "U": {
      const code = `U+${BigInt.asUintN(64, n)
        .toString(16)
        .toUpperCase()
        .padStart(Math.max(4, spec.precision ?? 0), "0")}`;
      return pad(spec.sharp && valid && isPrintable(c) ? `${code} '${c}'` : code, spec, false);
    }
    default:
      return undefined;
  }
};

/** A float64 under a verb. Undefined: the verb is not one for floats. */
export const formatFloat = (n: number, spec: Spec): string | undefined => {
  const text = floatText(n, spec);
  if (text === undefined) return undefined;
  const negative = text.startsWith("-");
  const sign = negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  const body = negative ? text.slice(1) : text;
  if (spec.zero && !spec.minus && Number.isFinite(n))
    return sign + pad(body, { ...spec, width: (spec.width ?? 0) - sign.length });
  return pad(sign + body, spec, false);
};

const floatText = (n: number, { verb, precision }: Spec): string | undefined => {
  if (!"vgGeEfF".includes(verb)) return undefined;
  if (!Number.isFinite(n)) return Number.isNaN(n) ? "NaN" : n > 0 ? "+Inf" : "-Inf";
  const minus = Object.is(n, -0) ? "-" : "";
  switch (verb) {
    case "e":
    case "E": {
      const text = minus + exponent(scientific(n, precision ?? 6));
      return verb === "E" ? text.toUpperCase() : text;
    }
    case "f":
    case "F":
      return minus + fixed(n, precision ?? 6);
    default: {
      const text = minus + general(n, precision);
      return verb === "G" ? text.toUpperCase() : text;
    }
  }
};

/** `1e+5` → `1e+05` */
const exponent = (text: string): string => text.replace(/e([+-])(\d)$/, "e$10$2");

const fixed = (n: number, digits: number): string => {
  const places = Math.min(digits, 100);
  const text = n.toFixed(places);
  if (text.includes("e")) return `${BigInt(n)}${places > 0 ? `.${"0".repeat(places)}` : ""}`;
  return toEven(text, n.toFixed(Math.min(places + 30, 100)), text.length);
};

const scientific = (n: number, digits: number): string => {
  const places = Math.min(digits, 100);
  const text = n.toExponential(places);
  return toEven(text, n.toExponential(Math.min(places + 30, 100)).replace(/e.*/, ""), text.indexOf("e"));
};

/** JavaScript rounds halves up, Go to even: the digit before `end` is one less where `longer` was a half. */
const toEven = (text: string, longer: string, end: number): string => {
  const rest = longer.slice(end).replace(".", "");
  if (!/^50{9,}$/.test(rest) || !/[13579]/.test(text[end - 1] ?? "")) return text;
  return text.slice(0, end - 1) + (Number(text[end - 1]) - 1) + text.slice(end);
};

const general = (n: number, precision: number | undefined): string => {
  if (n === 0) return "0";
  const written = precision === undefined ? n.toExponential() : scientific(n, Math.max(precision, 1) - 1);
  const [mantissa = "", power = "0"] = written.split("e");
  const digits = mantissa.replace(/[-.]/g, "").replace(/0+$/, "") || "0";
  const exp = Number(power);
  let limit = precision === undefined ? 6 : Math.max(precision, 1);
  if (precision !== undefined && limit > digits.length && digits.length >= exp + 1) limit = digits.length;
  const sign = n < 0 ? "-" : "";
  if (exp < -4 || exp >= limit) {
    const rest = digits.length > 1 ? `.${digits.slice(1)}` : "";
    return exponent(`${sign}${digits[0]}${rest}e${exp < 0 ? "-" : "+"}${Math.abs(exp)}`);
  }
  if (exp < 0) return `${sign}0.${"0".repeat(-exp - 1)}${digits}`;
  const whole = digits.padEnd(exp + 1, "0");
  return sign + whole.slice(0, exp + 1) + (whole.length > exp + 1 ? `.${whole.slice(exp + 1)}` : "");
};
