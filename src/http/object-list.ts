/** Objects of the cluster as the operators' API lists them: by kind, namespace, name and uid. */
import { setImmediate as turn } from "node:timers/promises";
import { isKind, type Kind, type KubeObject } from "../sdk/kubernetes.ts";
import { HttpError } from "./errors.ts";

/** Absent: any. */
export interface Wanted {
  readonly kind?: Kind;
  readonly namespace?: string;
  readonly name?: string;
}

/** Kind, namespace, name and uid of the last object of a page. */
type Place = readonly string[];

export interface ObjectPage {
  readonly objects: readonly KubeObject[];
  /** Given back as `after`; absent: the list ends here. */
  readonly next?: string;
}

/** Text of one answer, after which a page ends early. */
const answerBytes = 4 << 20;
/** Objects that are looked at before others have their turn. */
const step = 5000;

export const readWanted = (query: URLSearchParams): Wanted => {
  const [kind, namespace, name] = ["kind", "namespace", "name"].map((key) => query.get(key) ?? undefined);
  const known = kind === undefined ? undefined : [kind].find(isKind);
  if (kind !== undefined && !known) throw new HttpError(400, "invalid", "kind is not one that is kept");
  return {
    ...(known && { kind: known }),
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  };
};

export const readPlace = (text: string | null): Place | undefined => {
  if (text === null || text === "") return undefined;
  try {
    const place: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (Array.isArray(place) && place.length === 4 && place.every((part) => typeof part === "string")) return place;
  } catch {
    // No JSON: answered below.
  }
  throw new HttpError(400, "invalid", "after is not what an earlier answer had as next");
};

/**
 * The first objects behind `after`, at most `limit`. They are looked at in steps, and what comes and goes meanwhile moves no page:
 * an object's place follows from what it is called.
 */
export const listObjects = async (
  all: Iterable<KubeObject>,
  wanted: Wanted,
  after: Place | undefined,
  limit: number,
): Promise<ObjectPage> => {
  let first: { readonly place: Place; readonly object: KubeObject }[] = [];
  /** Behind it nothing is wanted any more. */
  let end: Place | undefined;
  /** One more than are shown tells that there are more. */
  const shrink = (): void => {
    first = first.sort((a, b) => compare(a.place, b.place)).slice(0, limit + 1);
    if (first.length > limit) end = first.at(-1)?.place;
  };
  let seen = 0;
  for (const object of all) {
    if (++seen % step === 0) await turn();
    if (!fits(object, wanted)) continue;
    const place = placeOf(object);
    if ((after && compare(place, after) <= 0) || (end && compare(place, end) >= 0)) continue;
    if (first.push({ place, object }) > 4 * limit) shrink();
  }
  shrink();
  let bytes = 0;
  const objects: KubeObject[] = [];
  for (const { object } of first.slice(0, limit)) {
    if (bytes >= answerBytes) break;
    bytes += JSON.stringify(object).length;
    objects.push(object);
  }
  const last = objects.at(-1);
  return { objects, ...(last && objects.length < first.length && { next: textOf(placeOf(last)) }) };
};

const fits = (object: KubeObject, { kind, namespace, name }: Wanted): boolean =>
  (kind === undefined || object.kind === kind) &&
  (namespace === undefined || object.namespace === namespace) &&
  (name === undefined || object.name === name);

const placeOf = ({ kind, namespace, name, uid }: KubeObject): Place => [kind, namespace, name, uid];
const textOf = (place: Place): string => Buffer.from(JSON.stringify(place)).toString("base64url");

const compare = (a: Place, b: Place): number => {
  for (const [i, text] of a.entries()) {
    const other = b[i] ?? "";
    if (text !== other) return text < other ? -1 : 1;
  }
  return 0;
};
