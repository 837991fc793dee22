import { compactJson, skipString } from "../json/grammar.ts";
import { comparableText, type JsonNode } from "../json/node.ts";
import type { Field } from "../sdk/catalog.ts";
import type { JsonEvent } from "../sdk/json-event.ts";

/** The fields of Falco's json plugin under both of its names (`json.*`, `jevt.*`), for events whose text is JSON. */
export const jsonFields: readonly Field<JsonEvent>[] = ["json", "jevt"].flatMap((prefix): Field<JsonEvent>[] => [
  {
    name: `${prefix}.value`,
    type: "string",
    list: false,
    about: "Value at a JSON pointer, as text; objects and arrays as JSON.",
    arg: { kind: "key", required: true },
    get: (event, arg) => valueAt(event.root, stepsOf(String(arg ?? ""))),
    bind(arg) {
      const steps = stepsOf(String(arg ?? ""));
      return (event) => valueAt(event.root, steps);
    },
    bindCompared(arg) {
      const steps = stepsOf(String(arg ?? ""));
      return (event) => valueAt(event.root, steps, comparableText);
    },
  },
  {
    name: `${prefix}.obj`,
    type: "string",
    list: false,
    about: "The whole event as indented JSON.",
    get: (event) => (event.root ? indentJson(event.text) : undefined),
  },
  {
    name: `${prefix}.rawtime`,
    type: "string",
    list: false,
    about: "Time of the event in nanoseconds since the epoch, as text.",
    get: (event) => (event.root ? String(BigInt.asUintN(64, event.timeNs)) : undefined),
  },
]);

/** The steps of a pointer: one leading slash may be left out, `~1` is a slash and `~0` a tilde. */
const stepsOf = (pointer: string): readonly string[] => {
  if (pointer === "") return [];
  const bare = pointer.startsWith("/") ? pointer.slice(1) : pointer;
  return bare.split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
};

const position = /^[+-]?\d+$/;

const valueAt = (
  root: JsonNode | undefined,
  steps: readonly string[],
  show = (node: JsonNode): string => node.asText(),
): string | undefined => {
  let node = root;
  for (const step of steps) {
    if (!node) return undefined;
    if (node.kind === "array") node = position.test(step) ? node.at(Number(step)) : undefined;
    else node = node.get(step);
  }
  if (!node) return undefined;
  const text = show(node);
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
};

/** JSON text over several lines, two blanks a level, as Go's `json.Indent` writes it; undefined when it is not strict JSON. */
export const indentJson = (text: string): string | undefined => {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const compact = compactJson(text);
  let out = "";
  let kept = 0;
  let margin = "\n";
  for (let i = 0; i < compact.length; i++) {
    const c = compact[i];
    if (c === '"') i = skipString(compact, i + 1) - 1;
    else if (c === "{" || c === "[") {
      const empty = compact[i + 1] === "}" || compact[i + 1] === "]";
      if (empty) i++;
      else {
        margin += "  ";
        out += compact.slice(kept, i + 1) + margin;
        kept = i + 1;
      }
    } else if (c === "}" || c === "]") {
      margin = margin.slice(0, -2);
      out += compact.slice(kept, i) + margin;
      kept = i;
    } else if (c === "," || c === ":") {
      out += compact.slice(kept, i + 1) + (c === "," ? margin : " ");
      kept = i + 1;
    }
  }
  return out + compact.slice(kept);
};
