/** Numbers whose text a double cannot carry, kept as they were written. */

/** A JSON number whose text a double cannot carry (`1736936430123456789`, `1.50`): kept as it was written, printed by JSON.stringify verbatim. */
export interface RawNumber {
  readonly rawJSON: string;
}

const { isRawJSON, rawJSON } = JSON as unknown as {
  isRawJSON(value: unknown): value is RawNumber;
  rawJSON(text: string): RawNumber;
};

export const isRawNumber = (value: unknown): value is RawNumber => isRawJSON(value);

/** A number literal as a value: a double when its text survives the round trip, else the verbatim literal. */
export const numberFromText = (text: string): number | RawNumber => {
  const n = Number(text);
  return String(n) === text ? n : rawJSON(text);
};

/** The number as it was written. */
export const numberText = (value: number | RawNumber): string =>
  typeof value === "number" ? String(value) : value.rawJSON;
