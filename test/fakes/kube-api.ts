import { readFileSync } from "node:fs";
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecure } from "node:https";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

export interface ApiObject {
  readonly metadata: { readonly uid: string; readonly name: string; readonly [more: string]: unknown };
  readonly [more: string]: unknown;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface KubeApi {
  readonly url: string;
  /** Path and query of every request, in order. */
  readonly asked: readonly URL[];
  /** Of requests of a resource: `list` or `watch`. */
  askedOf(resource: string, what: "list" | "watch"): readonly URL[];
  put(resource: string, object: ApiObject): void;
  remove(resource: string, uid: string): void;
  /** Tells open watches how far they are. */
  bookmark(): void;
  /** Versions up to now are forgotten: what goes on from one is answered 410, in the status or as an event. */
  compact(how: "status" | "event"): void;
  /** Ends open watches, with a last chunk or without. */
  cut(how: "ended" | "dropped"): void;
  /** Says something on open watches as it is. */
  say(resource: string, text: string): void;
  /** Answers requests of a resource (`*`: any) in its own way, until the answer is called. */
  instead(resource: string, answer: Answer): () => void;
  /** The token that is taken; undefined: any. */
  token: string | undefined;
  watches(resource: string): number;
  /** What lives, as it is now. */
  objects(resource: string): readonly ApiObject[];
  close(): Promise<void>;
}

interface Change {
  readonly resource: string;
  readonly version: number;
  readonly type: string;
  readonly object: ApiObject;
}

/** A server that lists and watches as Kubernetes documents it (API concepts: chunks, watches, bookmarks, 410 Gone). */
export const startKubeApi = async (
  first: readonly { readonly resource: string; readonly object: ApiObject }[] = [],
  tls?: { readonly key: string; readonly cert: string },
): Promise<KubeApi> => {
  const objects = new Map<string, Map<string, ApiObject>>();
  const history: Change[] = [];
  const open = new Set<{ readonly resource: string; readonly partial: boolean; readonly response: ServerResponse }>();
  const instead = new Map<string, Answer>();
  const asked: URL[] = [];
  let [version, compacted] = [1000, 0];
  let gone: "status" | "event" = "status";
  const of = (resource: string) => {
    const there = objects.get(resource) ?? new Map<string, ApiObject>();
    objects.set(resource, there);
    return there;
  };
  const tell = (type: string, resource: string, object: ApiObject): void => {
    const change = { type, resource, version: ++version, object: at(object, version) };
    history.push(change);
    if (type === "DELETED") of(resource).delete(object.metadata.uid);
    else of(resource).set(object.metadata.uid, change.object);
    for (const watch of open)
      if (watch.resource === resource) watch.response.write(lineOf(type, change.object, watch.partial));
  };
  const list = (resource: string, query: URLSearchParams, partial: boolean, response: ServerResponse): void => {
    const { version: from = version, start = 0 } = tokenOf(query.get("continue"));
    if (from < compacted) {
      refuse(response, 410, "Expired");
      return;
    }
    const limit = Number(query.get("limit") ?? 0) || Number.POSITIVE_INFINITY;
    const all = [...of(resource).values()];
    const end = start + limit;
    const next = end < all.length ? Buffer.from(JSON.stringify({ version: from, start: end })).toString("base64") : "";
    const metadata = { resourceVersion: String(from), ...(next !== "" && { continue: next }) };
    const items = all.slice(start, end).map((object) => (partial ? partOf(object) : object));
    response.end(`${JSON.stringify({ kind: "List", apiVersion: "v1", metadata, items })}\n`);
  };
  const watch = (resource: string, query: URLSearchParams, partial: boolean, response: ServerResponse): void => {
    const from = Number(query.get("resourceVersion"));
    if (from < compacted && gone === "status") {
      refuse(response, 410, "Expired");
      return;
    }
    response.flushHeaders();
    if (from < compacted)
      return void response.end(`${JSON.stringify({ type: "ERROR", object: status(410, "Expired") })}\n`);
    for (const change of history)
      if (change.resource === resource && change.version > from)
        response.write(lineOf(change.type, change.object, partial));
    const one = { resource, partial, response };
    open.add(one);
    response.on("close", () => open.delete(one));
  };
  const answer: Answer = (request, response) => {
    const url = new URL(request.url ?? "/", "http://api");
    asked.push(url);
    const resource = url.pathname.split("/").at(-1) ?? "";
    const own = instead.get(resource) ?? instead.get("*");
    response.setHeader("content-type", "application/json");
    if (own) return own(request, response);
    if (server.token !== undefined && request.headers.authorization !== `Bearer ${server.token}`)
      return refuse(response, 401, "Unauthorized");
    if (!/^\/(api\/v1|apis\/(apps|batch)\/v1)\/[a-z]+$/.test(url.pathname)) return refuse(response, 404, "NotFound");
    const partial = /as=PartialObjectMetadata/.test(request.headers.accept ?? "");
    if (url.searchParams.get("watch") === "1") watch(resource, url.searchParams, partial, response);
    else list(resource, url.searchParams, partial, response);
  };
  const http = tls ? createSecure(tls, answer) : createPlain(answer);
  for (const { resource, object } of first) of(resource).set(object.metadata.uid, object);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const server: KubeApi = {
    url: `${tls ? "https" : "http"}://127.0.0.1:${(http.address() as AddressInfo).port}`,
    asked,
    askedOf: (resource, what) =>
      asked.filter(
        ({ pathname, searchParams }) =>
          pathname.endsWith(`/${resource}`) && (searchParams.get("watch") === "1") === (what === "watch"),
      ),
    put: (resource, object) => tell(of(resource).has(object.metadata.uid) ? "MODIFIED" : "ADDED", resource, object),
    remove: (resource, uid) => {
      const object = of(resource).get(uid);
      if (object) tell("DELETED", resource, object);
    },
    bookmark: () => {
      const object = { kind: "Pod", metadata: { resourceVersion: String(version), creationTimestamp: null } };
      for (const { response } of open) response.write(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
    },
    compact: (how) => {
      gone = how;
      compacted = ++version;
    },
    cut: (how) => {
      for (const { response } of open)
        if (how === "ended") response.end();
        else response.destroy();
      open.clear();
    },
    say: (resource, text) => {
      for (const one of open) if (one.resource === resource) one.response.write(text);
    },
    instead: (resource, own) => {
      instead.set(resource, own);
      return () => instead.delete(resource);
    },
    token: undefined,
    watches: (resource) => [...open].filter((one) => one.resource === resource).length,
    objects: (resource) => [...of(resource).values()],
    close: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
};

const at = (object: ApiObject, version: number): ApiObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(version) },
});

const partOf = ({ metadata }: ApiObject) => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata,
});

const lineOf = (type: string, object: ApiObject, partial: boolean): string =>
  `${JSON.stringify({ type, object: partial ? partOf(object) : object })}\n`;

const tokenOf = (text: string | null): { version?: number; start?: number } =>
  text === null ? {} : JSON.parse(Buffer.from(text, "base64").toString());

const status = (code: number, reason: string) => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  reason,
  code,
});

/** As the API refuses. */
export const refuse = (response: ServerResponse, code: number, reason: string, headers: Record<string, string> = {}) =>
  void response.writeHead(code, headers).end(`${JSON.stringify(status(code, reason))}\n`);

/** Objects of a real cluster, from test/golden/kubernetes-api. */
export const recordedObjects = (): readonly { readonly resource: string; readonly object: ApiObject }[] =>
  gunzipSync(readFileSync(new URL("../golden/kubernetes-api/objects.jsonl.gz", import.meta.url)))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
