import { DeliveryError, type DeliveryFault } from "../sdk/errors.ts";
import { networkFault } from "../sdk/network.ts";
import { fitWords } from "../sdk/words.ts";

/** Why an attempt failed, fit for logs and dead letters: the message holds no URL, key or body. */
export interface Failure extends DeliveryFault {
  readonly message: string;
  /** The message without the destination's words, where it holds any: for pages that anybody may read. */
  readonly outline?: string;
  /** What the destination said about single alerts, by their indexes. */
  readonly each?: ReadonlyMap<number, string>;
  /** HTTP status of the answer, where there was one. */
  readonly status?: number;
}

/** A failure as it concerns single alerts, by their places in the request. */
export const perAlert = (failure: Failure) => {
  const failed = failure.failed && new Set(failure.failed);
  const dead = new Set(failure.dead);
  return {
    taken: (index: number): boolean => failed !== undefined && !failed.has(index) && !dead.has(index),
    /** It never succeeds, whatever becomes of the others. */
    permanent: (index: number): boolean => dead.has(index) || !failure.retryable,
    /** With what was said about this alert. */
    of: (index: number): Failure => {
      const said = failure.each?.get(index);
      return said === undefined ? failure : { ...failure, message: said };
    },
  };
};

/** Replaces the secrets of the configuration in a text. */
export type Mask = (text: string) => string;
export const noMask: Mask = (text) => text;

/** UTF-16 units of a destination's own words in logs and dead letters. */
const longestWords = 300;

const bugs = [TypeError, RangeError, ReferenceError, SyntaxError];

/**
 * What a thrown value means. DeliveryError says it itself; sockets, DNS, TLS and aborts are known by their codes; errors
 * of the language are bugs and never cured by repeating. All else is retried: permanent must be declared.
 */
export const failureOf = (error: unknown, mask: Mask = noMask): Failure => {
  if (error instanceof DeliveryError) return refused(error, mask);
  const known = networkFault(error);
  if (known) return known;
  if (bugs.some((kind) => error instanceof kind))
    return { reason: "bug", retryable: false, message: `${(error as Error).name} in the output` };
  return { reason: "other", retryable: true, message: `unexpected ${labelOf(error)}` };
};

const refused = ({ fault: told, message, said, status }: DeliveryError, mask: Mask): Failure => {
  const fault = status === undefined ? told : { ...told, status };
  // Masked before they are cut: half a secret would not be known.
  const shown = (words: string): string => fitWords(mask(words).trim(), longestWords);
  if (typeof said === "string") return { ...fault, ...joined(message, shown(said)) };
  const each = new Map(
    [...said].map(([index, words]) => [index, shown(words)] as const).filter(([, words]) => words !== ""),
  );
  const [first = ""] = each.values();
  return { ...fault, ...joined(message, first), ...(each.size > 0 && { each }) };
};

const joined = (message: string, words: string): Pick<Failure, "message" | "outline"> =>
  words === "" ? { message } : { message: `${message}: ${words}`, outline: message };

/** An unknown error's message may quote an address or a key, so only its class and code are told. */
const labelOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "value thrown";
  const code = (error as { code?: unknown }).code;
  const name = /^\w{1,60}$/.test(error.name) ? error.name : "Error";
  return typeof code === "string" && /^\w{1,60}$/.test(code) ? `${name} ${code}` : name;
};

/** The frames of an error's stack without its message. */
export const framesOf = (error: unknown): string =>
  error instanceof Error
    ? (error.stack ?? "")
        .split("\n")
        .filter((line) => line.startsWith("    at "))
        .join("\n")
    : "";
