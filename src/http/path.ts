import { posix } from "node:path";
import { decodePath } from "../sdk/url-path.ts";
import type { Answer } from "./answer.ts";

/** A request target split as Go's router reads it. */
export interface Target {
  /** As sent, still escaped, without the query. */
  readonly raw: string;
  /** Unescaped where that is possible: what handlers are looked up by. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  /** Of an absolute URL: it stands above the Host header. */
  readonly authority?: string;
}

/** Characters of a request target: more is refused, for nobody sends it. */
export const longestTarget = 8192;

const root: Target = { raw: "/", path: "/", query: "" };

/** Undefined: neither a path nor an absolute URL. */
export const parseTarget = (url: string): Target | undefined => {
  if (url === "/") return root;
  const origin = /^https?:\/\/([^/?#]*)/i.exec(url);
  const rest = origin ? url.slice(origin[0].length) || "/" : url;
  const mark = rest.indexOf("?");
  const raw = mark < 0 ? rest : rest.slice(0, mark);
  if (!raw.startsWith("/") && !(origin && raw === "")) return undefined;
  return {
    raw: raw || "/",
    path: decodePath(raw || "/"),
    query: mark < 0 ? "" : rest.slice(mark),
    ...(origin && { authority: origin[1] ?? "" }),
  };
};

/** The answer that sends a client to the path without `//`, `.` and `..`; undefined when the path is clean. */
export const redirectToClean = (method: string, target: Target): Answer | undefined => {
  if (target === root) return undefined;
  if (!target.raw.includes("//") && !target.raw.includes("/.")) return undefined;
  const clean = posix.normalize(target.raw);
  if (clean === target.raw) return undefined;
  const location = clean + target.query;
  if (method !== "GET" && method !== "HEAD") return { status: 307, headers: { Location: location } };
  return {
    status: 307,
    headers: { "Content-Type": "text/html; charset=utf-8", Location: location },
    body: `<a href="${escapeHtml(location)}">Temporary Redirect</a>.\n\n`,
  };
};

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => entities[c] ?? c);
