import type { Alert, FieldValue, Priority } from "../../src/sdk/alert.ts";
import { priorities } from "../../src/sdk/alert.ts";

const { rawJSON } = JSON as unknown as { rawJSON(text: string): FieldValue };

/** Frozen to the last leaf: whoever changes an alert throws. */
export const frozen = <T>(value: T): T => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) frozen(item);
  return Object.freeze(value);
};

const fieldsOf = (fields: Readonly<Record<string, FieldValue>>): Alert["output_fields"] =>
  Object.assign(Object.create(null), fields);

export const sampleAlert = (over: Partial<Alert> = {}): Alert =>
  frozen({
    uuid: "5b9cf3b6-3f0f-4a3c-9c53-5f0f1d9d0001",
    time: "2025-01-15T10:20:30.123456789Z",
    rule: "Terminal shell in container",
    priority: "Warning" as Priority,
    source: "syscall",
    output: "10:20:30.123456789: Warning Shell spawned in a container (user=root container=web)",
    hostname: "node-1",
    tags: ["T1059", "container", "shell"],
    output_fields: fieldsOf({
      "container.id": "3ad7b26ded6d",
      "k8s.ns.name": "prod",
      "proc.pid": 4242,
      "user.name": "root",
    }),
    added: [],
    ...over,
  });

const everything =
  "\0\u0001\u001b[31m\r\nX-Injected: 1\r\n\r\n\u202eevil\u200b\ud800 \udc00\u2028\u2029<b>&\"'`*_~|\\{{ .Rule }}${HOME}%s,=#😀";
const deep = Array.from({ length: 2000 }).reduce<FieldValue>((inner) => ({ n: inner }), "leaf");

/** Alerts named for what they break. */
export const hostileAlerts: Readonly<Record<string, Alert>> = {
  "every control and markup character": sampleAlert({
    rule: everything,
    output: everything,
    hostname: everything,
    source: everything,
    tags: [everything, ""],
    output_fields: fieldsOf({ [everything]: everything, "": everything, "a\nb": "c\rd" }),
    added: [everything, ""],
  }),
  "values of every type": sampleAlert({
    output_fields: fieldsOf({
      big: rawJSON("12345678901234567890123"),
      exponent: rawJSON("1.50e400"),
      list: ["x", 1, null, [true]],
      map: { k: { n: null } },
      negative: -7,
      nothing: null,
      yes: true,
      zero: 0,
      "k8s.ns.name": null,
      "k8s.pod.name": 7,
      n_drops: "many",
      n_evts: {},
    }),
    added: ["nothing", "map", "absent"],
  }),
  "nothing but what must be there": sampleAlert({
    rule: "r",
    output: "",
    source: "",
    hostname: "",
    tags: [],
    output_fields: fieldsOf({}),
  }),
  "a megabyte of text": sampleAlert({
    rule: "r".repeat(5000),
    output: "😀".repeat(500_000),
    tags: Array.from({ length: 2000 }, (_, i) => `tag-${i}`),
    output_fields: fieldsOf({ long: "é".repeat(300_000), long2: "\ud83d".repeat(600) }),
  }),
  "three thousand fields": sampleAlert({
    output_fields: fieldsOf(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`field.${i}`, `value ${i}`]))),
  }),
  "names of the language": sampleAlert({
    rule: "__proto__",
    tags: ["constructor", "__proto__"],
    output_fields: Object.assign(
      Object.defineProperty(Object.create(null), "__proto__", { value: "polluted", enumerable: true }),
      { constructor: "c", toString: "t", hasOwnProperty: "h" },
    ),
    added: ["__proto__", "toString", "valueOf"],
  }),
  "a value two thousand levels deep": sampleAlert({ output_fields: fieldsOf({ deep }) }),
  "times at the edges": sampleAlert({ time: "9999-12-31T23:59:59.999999999-23:59" }),
  "a time before the epoch": sampleAlert({ time: "0001-01-01T00:00:01+14:00" }),
  ...Object.fromEntries(priorities.map((priority) => [`priority ${priority}`, sampleAlert({ priority })])),
};
