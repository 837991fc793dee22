import type { JsonNode } from "../../json/node.ts";
import { textsAt } from "./bodies.ts";
import { queryValues } from "./query.ts";

/** Subresources that do what they do all the same. */
const heedless = new Set(["token", "exec", "attach", "portforward", "proxy"]);
const shown = new Set(["Request", "RequestResponse"]);

/**
 * Whether the API server stores nothing of the request. A deletion with a body is told there, and the query counts for
 * nothing; whether there was one is only known where bodies are audited, so elsewhere a deletion is taken for one.
 */
export const isDryRun = (event: JsonNode): boolean => {
  const verb = event.textAt("verb") ?? "";
  const named = mayName(event);
  const deletes = verb === "delete" || verb === "deletecollection";
  if (!named && !deletes && verb !== "create") return false;
  const subresource = event.get("objectRef")?.textAt("subresource") ?? "";
  if (heedless.has(subresource)) return false;
  const asked = () => named && queryValues(event, "dryRun").includes("All");
  if (!deletes && subresource !== "eviction") return asked();
  const body = event.get("requestObject")?.asRead();
  if (deletes) {
    if (body) return textsAt(body, ["dryRun"]).includes("All");
    return shown.has(event.get("level")?.asText() ?? "") && !isTruncated(event) && asked();
  }
  return asked() || textsAt(body, ["deleteOptions", "dryRun"]).includes("All");
};

/** Most requests have no such parameter: that is seen at a glance, before anything is decoded. */
const mayName = (event: JsonNode): boolean => {
  const uri = event.get("requestURI")?.compact() ?? "";
  return uri.includes("dryRun") || uri.includes("%") || (uri.includes("\\") && /\\u00(?:25|[4-7])/.test(uri));
};

const isTruncated = (event: JsonNode): boolean => event.get("annotations")?.get("audit.k8s.io/truncated") !== undefined;
