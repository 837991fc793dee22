import { setImmediate as turn } from "node:timers/promises";
import { type KubernetesApi, Unreadable } from "./api.ts";
import { readWhole, TooLarge } from "./bounded.ts";
import { mapOf } from "./read-object.ts";
import { acceptOf, pathOf, type Resource } from "./resources.ts";

/** A page is parsed in one go: so many objects keep others waiting for some milliseconds. */
const usualPage = { whole: 100, metadata: 250 };
const smallestPage = 5;
const maxPageBytes = 8 << 20;
const pageWithinMs = 60_000;
/** A list that goes on behind that many objects has no end. */
const mostItems = 5_000_000;
const mostEmpty = 100;

/** Lists a resource from its beginning, page by page; resolves with the version to watch from. */
export type ReadList = (item: (object: unknown) => void) => Promise<string>;

/** `get` gives up after so many milliseconds. Pages that were too large are asked for smaller by the next list. */
export const createListReader = (
  resource: Resource,
  get: (path: string, accept: string, withinMs: number) => ReturnType<KubernetesApi["get"]>,
): ReadList => {
  let limit = resource.whole ? usualPage.whole : usualPage.metadata;
  const readPage = async (token: string) => {
    const query = new URLSearchParams({ limit: String(limit), ...(token !== "" && { continue: token }) });
    try {
      const body = await get(`${pathOf(resource)}?${query}`, acceptOf(resource, "list"), pageWithinMs);
      return pageOf(await readWhole(body, maxPageBytes));
    } catch (error) {
      if (error instanceof TooLarge) limit = Math.max(Math.floor(limit / 2), smallestPage);
      throw error;
    }
  };
  return async (item) => {
    let [seen, empty] = [0, 0];
    for (let token = ""; ; ) {
      const page = await readPage(token);
      for (const object of page.items) item(object);
      if (page.next === "") return page.version;
      seen += page.items.length;
      if (page.items.length === 0) empty++;
      if (seen > mostItems || empty > mostEmpty) throw new Unreadable("its list has no end");
      token = page.next;
      await turn();
    }
  };
};

const pageOf = (text: string) => {
  const { items, metadata } = mapOf(parsed(text));
  const { resourceVersion: version, continue: next } = mapOf(metadata);
  if (typeof version !== "string" || (items !== null && !Array.isArray(items)))
    throw new Unreadable("what it answered is no list");
  const objects: readonly unknown[] = items ?? [];
  return { items: objects, version, next: typeof next === "string" ? next : "" };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Unreadable("what it answered is no JSON", { cause });
  }
};
