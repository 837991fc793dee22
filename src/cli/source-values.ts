import type { Fields } from "../sdk/fields.ts";

/** A source's configuration from values that it made itself, in the keys of its fields; one that does not fit is its default. */
export const valuesOf = (
  fields: Fields,
  wanted: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(fields).map(([key, schema]) => {
      const { success, data } = schema.safeParse(wanted[key]);
      return [key, success ? data : schema.parse(undefined)];
    }),
  );
