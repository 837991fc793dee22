import { TemplateError } from "./error.ts";
import { formatValue } from "./format.ts";
import { intOf, typeName, type Value } from "./value.ts";
import { plainSpec, type Spec } from "./verbs.ts";

const directive = /%([+\-# 0]*)(?:\[(\d+)\])?(\*|\d+)?(?:(\.)(?:\[(\d+)\])?(\*|\d+)?)?(?:\[(\d+)\])?([\s\S]|$)/gu;

const maxWidth = 1_000_000;
/** Characters that the directives of one format make. */
const maxMade = 4 << 20;

/** Go's Sprintf, its complaints about verbs and arguments included. */
export const sprintf = (format: string, args: readonly Value[]): string => {
  let next = 0;
  let reordered = false;
  let made = 0;
  const text = format.replaceAll(directive, (_, flags, widthAt, width, dot, precisionAt, precision, at, verb) => {
    const jump = (index: string | undefined) => {
      if (index === undefined) return;
      next = Number(index) - 1;
      reordered = true;
    };
    let complaint = "";
    const size = (given: string | undefined, name: string): number | undefined => {
      if (given !== "*") return given === undefined ? undefined : Math.min(Number(given), maxWidth);
      const n = intOf(args[next++]);
      if (n === undefined || n > BigInt(maxWidth) || n < -BigInt(maxWidth)) {
        complaint += `%!(BAD${name})`;
        return undefined;
      }
      return Number(n);
    };
    jump(widthAt);
    let wide = size(width, "WIDTH");
    let minus = flags.includes("-");
    if (wide !== undefined && wide < 0) {
      wide = -wide;
      minus = true;
    }
    jump(precisionAt);
    let exact = dot === undefined ? undefined : (size(precision, "PREC") ?? (complaint === "" ? 0 : undefined));
    if (exact !== undefined && exact < 0) {
      exact = undefined;
      complaint += "%!(BADPREC)";
    }
    jump(at);
    if (verb === "") return `${complaint}%!(NOVERB)`;
    if (verb === "%") return `${complaint}%`;
    if (next < 0 || (reordered && next >= args.length)) return `${complaint}%!${verb}(BADINDEX)`;
    if (next >= args.length) return `${complaint}%!${verb}(MISSING)`;
    const spec: Spec = {
      verb,
      plus: flags.includes("+"),
      minus,
      sharp: flags.includes("#"),
      space: flags.includes(" "),
      zero: flags.includes("0") && !minus,
      width: wide,
      precision: exact,
    };
    const value = args[next++];
    const formatted = complaint + formatValue(value, isPlain(spec) ? plainSpec : spec);
    made += formatted.length;
    if (made > maxMade) throw new TemplateError("the format makes too much text");
    return formatted;
  });
  if (reordered || next >= args.length) return text;
  const extra = args
    .slice(next)
    .map((arg) => (arg === undefined || arg === null ? "<nil>" : `${typeName(arg)}=${formatValue(arg, plainSpec)}`));
  return `${text}%!(EXTRA ${extra.join(", ")})`;
};

const isPlain = (spec: Spec): boolean =>
  spec.verb === "v" &&
  !spec.plus &&
  !spec.sharp &&
  !spec.space &&
  spec.width === undefined &&
  spec.precision === undefined;
