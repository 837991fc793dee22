import { type Alert, type FieldValue, isNumber, numberText, priorityLevel } from "../sdk/alert.ts";
import { catalogOf, type Field, type FieldCatalog, type FieldResult } from "../sdk/catalog.ts";

/**
 * The fields of alerts, for conditions that choose among them (`match:` of an output, searches, silences): `alert.*`, every
 * output field under its own name (`ka.verb`, `ka.uri.param[dryRun]`), and any name at all as `alert.field[name]`.
 */
export const alertCatalog: FieldCatalog<Alert> = {
  ...catalogOf<Alert>("alert", [
    text("rule", "Name of the rule.", (alert) => alert.rule),
    text("priority", "Priority by name: Critical.", (alert) => alert.priority),
    {
      name: "alert.level",
      type: "number",
      list: false,
      about: "Priority as a number: 1 for Debug to 8 for Emergency.",
      get: (alert) => priorityLevel(alert.priority),
    },
    text("source", "Source of the event: k8s_audit, syscall.", (alert) => alert.source),
    text("hostname", "Host that the event came from.", (alert) => alert.hostname),
    text("output", "The message.", (alert) => alert.output),
    text("time", "Time in RFC 3339.", (alert) => alert.time),
    text("uuid", "The alert's id.", (alert) => alert.uuid),
    {
      name: "alert.tags",
      type: "string",
      list: true,
      about: "Tags of the rule.",
      get: (alert) => (alert.tags.length > 0 ? alert.tags : undefined),
    },
    {
      name: "alert.field",
      type: "string",
      list: false,
      about: "An output field by name.",
      arg: { kind: "key", required: true },
      get: (alert, arg) => fieldOf(alert, String(arg)),
    },
  ]),
  open: (name) => ({
    name,
    type: "string",
    list: false,
    about: "An output field.",
    arg: { kind: "key", required: false },
    get: (alert, arg) => fieldOf(alert, arg === undefined ? name : `${name}[${arg}]`),
  }),
};

function text(name: string, about: string, get: (alert: Alert) => string | undefined): Field<Alert> {
  return { name: `alert.${name}`, type: "string", list: false, about, get };
}

/** Numbers and flags as their text; of a list, each element; what is null or a map has no value. */
const fieldOf = (alert: Alert, name: string): FieldResult => {
  const value = Object.hasOwn(alert.output_fields, name) ? alert.output_fields[name] : undefined;
  if (!Array.isArray(value)) return value === undefined ? undefined : scalarOf(value);
  const items = value.flatMap((item: FieldValue) => scalarOf(item) ?? []);
  return items.length > 0 ? items : undefined;
};

const scalarOf = (value: FieldValue): string | undefined => {
  if (typeof value === "string") return value;
  if (isNumber(value)) return numberText(value);
  return typeof value === "boolean" ? String(value) : undefined;
};
