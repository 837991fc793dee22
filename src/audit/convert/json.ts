export type Json = string | number | boolean | null | readonly Json[] | JsonMap;
export interface JsonMap {
  readonly [key: string]: Json;
}

export const isMap = (value: unknown): value is JsonMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export interface Converted {
  /** The audit event as JSON. */
  readonly text: string;
  /** Nanoseconds since the epoch, decimal. */
  readonly timeNs: string;
}

/** Why an envelope holds no audit event; the message holds nothing of it. */
export class ConvertError extends Error {
  override readonly name = "ConvertError";
}
