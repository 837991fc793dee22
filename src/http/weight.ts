import { HttpError } from "./errors.ts";

/** Of one body. A parsed value costs some fifty bytes however short its text: `[],[],…` grows twentyfold in memory. */
const maxValues = 1_000_000;
/** A body this short cannot hold so many that it matters. */
const light = 256 * 1024;

const quote = 0x22;
const comma = 0x2c;
const bracket = 0x5b;
const backslash = 0x5c;
const brace = 0x7b;

/** Throws HttpError 413 when a JSON text holds more values than one body should bring; counts commas and openers outside strings. */
export const checkWeight = (bytes: Buffer): void => {
  if (bytes.length <= light) return;
  let values = 0;
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i];
    if (c === quote) i = closingQuote(bytes, i + 1);
    else if ((c === comma || c === brace || c === bracket) && ++values > maxValues) {
      throw new HttpError(413, "too_large", `the body holds more than ${maxValues} values`);
    }
  }
};

/** Offset of the quote that ends the string, or the end. */
const closingQuote = (bytes: Buffer, from: number): number => {
  for (let close = bytes.indexOf(quote, from); close >= 0; close = bytes.indexOf(quote, close + 1)) {
    let slash = close - 1;
    while (slash >= from && bytes[slash] === backslash) slash--;
    if ((close - slash) % 2 === 1) return close;
  }
  return bytes.length;
};
