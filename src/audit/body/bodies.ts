import type { JsonNode } from "../../json/node.ts";
import { readJson } from "../../json/read.ts";
import { objectOfPatch, operationsOf, type PatchOperation } from "./json-patch.ts";
import { rememberLatest } from "./latest.ts";
import { elements, valueAt } from "./steps.ts";

/** What an event's bodies say of the object that its request is about, read as API servers read them. */
export interface Bodies {
  /** What the request sets: its object, or what its JSON patch sets, each in its place. */
  readonly asked: JsonNode | undefined;
  /** The object as it is after the request: as the answer shows it, else as far as the request says. */
  readonly after: JsonNode | undefined;
  /** The answer shows the object. */
  readonly shown: boolean;
  /** A patch: of what it leaves out, the request says nothing. */
  readonly patch:
    | { readonly operations?: readonly PatchOperation[]; readonly merge?: JsonNode; readonly directives?: boolean }
    | undefined;
}

/** The bodies of the event whose value this is. */
export const bodiesOf = rememberLatest((event: JsonNode): Bodies => readBodies(event));

const deletes = new Set(["delete", "deletecollection"]);

const readBodies = (event: JsonNode): Bodies => {
  const verb = event.textAt("verb");
  const request = event.get("requestObject")?.asRead();
  const operations = request?.kind === "array" ? operationsOf(request) : undefined;
  const answer = objectOnly(event.get("responseObject")?.asRead());
  const shown = answer !== undefined && answer.get("kind")?.asText() !== "Status";
  // The body of a deletion is how to delete, not what.
  const deleted = verb !== undefined && deletes.has(verb);
  if (operations) {
    // What a JSON patch sets is dear to know, and seldom asked for where the answer shows it.
    const asked = once(() => parsed(objectOfPatch(operations, lengthOf(request))));
    return {
      get asked() {
        return asked();
      },
      get after() {
        return shown ? answer : deleted ? undefined : asked();
      },
      shown,
      patch: { operations },
    };
  }
  const asked = objectOnly(request);
  const merge = verb === "patch" ? asked : undefined;
  return {
    asked,
    after: shown ? answer : deleted ? undefined : asked,
    shown,
    patch: merge && { merge, directives: mayDirect(merge) },
  };
};

const once = <T>(work: () => T): (() => T) => {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: work() };
    return made.value;
  };
};

/** Whether a patch may hold `$patch` and its like; escapes may hide them. */
const mayDirect = (patch: JsonNode): boolean => /"\$|\\/.test(patch.text.slice(patch.start, patch.end));

const lengthOf = (node: JsonNode | undefined): number => (node ? node.end - node.start : 0);

const objectOnly = (node: JsonNode | undefined): JsonNode | undefined => (node?.kind === "object" ? node : undefined);

const parsed = (text: string | undefined): JsonNode | undefined =>
  text === undefined ? undefined : objectOnly(readJson(text, 0, 1)?.asRead());

/**
 * Whether the request writes what stands at a path, is above or below it. True also where that cannot be known: of an
 * object that is sent whole, and of a body that the event does not hold.
 */
export const touches = ({ patch }: Bodies, steps: readonly string[]): boolean => {
  if (patch?.operations) return patch.operations.some((operation) => reaches(operation, steps));
  return patch?.merge === undefined || sets(patch.merge, steps, patch.directives === true);
};

/** Whether a merge patch has none of these keys at its top, so that it writes nowhere below them. */
export const leavesAll = ({ patch }: Bodies, roots: readonly string[]): boolean =>
  patch?.merge !== undefined && patch.directives !== true && !roots.some((key) => patch.merge?.get(key));

const reaches = ({ op, path, from }: PatchOperation, steps: readonly string[]): boolean =>
  op !== "test" && (onTheWay(path, steps) || (op === "move" && onTheWay(from, steps)));

const onTheWay = (path: readonly string[] | undefined, steps: readonly string[]): boolean =>
  path === undefined || path.every((step, i) => i >= steps.length || step === steps[i]);

/** A merge patch takes away what it says null of; `$patch` and its like replace what stands beside them. */
const sets = (patch: JsonNode, steps: readonly string[], directives: boolean): boolean => {
  let node = patch;
  for (const step of steps) {
    if (node.kind !== "object" || (directives && (node.get("$patch") || node.get("$retainKeys")))) return true;
    const next = node.get(step);
    if (!next) return directives && node.get(`$deleteFromPrimitiveList/${step}`) !== undefined;
    node = next;
  }
  return !(node.kind === "object" && node.size === 0);
};

/** The words of a list of texts at a path. */
export const textsAt = (from: JsonNode | undefined, steps: readonly string[]): readonly string[] =>
  elements(valueAt(from, steps)).map((node) => node.asText());
