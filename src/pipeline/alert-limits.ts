import type { AlertLimits } from "../config/types.ts";
import { type FieldValue, isRawNumber } from "../sdk/alert.ts";
import { isList } from "../sdk/field-text.ts";
import type { PostedAlert } from "./alert-shape.ts";

/** Why a value is refused: a closed list that is also the metric label. */
export type Cause =
  | "invalid"
  | "alert_too_large"
  | "too_many_fields"
  | "field_name_too_long"
  | "name_too_long"
  | "too_many_tags"
  | "tag_too_long"
  | "too_many_refused";

export interface Excess {
  readonly cause: Cause;
  /** Names the key; never quotes the alert. */
  readonly reason: string;
}

const beyond = (cause: Cause, what: string, limits: AlertLimits, key: keyof AlertLimits): Excess => ({
  cause,
  reason: `${what} than limits.${key} (${limits[key]})`,
});

/** What is too much about an alert, the first of it; undefined: nothing. */
export const excessOf = (posted: PostedAlert, limits: AlertLimits): Excess | undefined => {
  for (const name of ["rule", "source", "hostname"] as const)
    if (posted[name].length > limits.maxname) return beyond("name_too_long", `${name} is longer`, limits, "maxname");
  const { tags } = posted;
  if (tags.length > limits.maxtags) return beyond("too_many_tags", "more tags", limits, "maxtags");
  for (const tag of tags)
    if (tag.length > limits.maxtaglength) return beyond("tag_too_long", "a tag is longer", limits, "maxtaglength");
  let fields = 0;
  for (const name in posted.output_fields) {
    if (++fields > limits.maxfields) return beyond("too_many_fields", "more output_fields", limits, "maxfields");
    if (name.length > limits.maxfieldname)
      return beyond("field_name_too_long", "the name of an output field is longer", limits, "maxfieldname");
  }
  return isSurelyTooLarge(posted, limits.maxalertbytes) ? alertTooLarge(limits) : undefined;
};

/** Whether every JSON text of it is longer than `max`. Writing one to see it may cost a hundred times what was posted. */
const isSurelyTooLarge = (posted: PostedAlert, max: number): boolean => {
  let length = posted.output.length;
  const open: FieldValue[] = [posted.output_fields];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === "string") length += value.length;
    else if (isRawNumber(value)) length += value.rawJSON.length;
    else if (isList(value)) {
      length += value.length;
      if (length <= max) for (const item of value) open.push(item);
    } else if (typeof value === "object" && value !== null)
      for (const name in value) {
        length += name.length + 1;
        open.push((value as Record<string, FieldValue>)[name] as FieldValue);
        if (length > max) return true;
      }
    if (length > max) return true;
  }
  return false;
};

/** `text` is the alert as compact JSON. */
export const isTooLarge = (text: string, { maxalertbytes }: AlertLimits): boolean =>
  text.length * 3 > maxalertbytes && Buffer.byteLength(text) > maxalertbytes;

export const alertTooLarge = (limits: AlertLimits): Excess =>
  beyond("alert_too_large", "the alert is larger", limits, "maxalertbytes");

export const tooManyRefused = (limits: AlertLimits): Excess => ({
  cause: "too_many_refused",
  reason: `the rest was not read: limits.maxrefused (${limits.maxrefused}) values of this body were refused`,
});
