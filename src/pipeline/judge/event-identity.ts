import { createHash } from "node:crypto";
import type { JsonEvent } from "../../sdk/json-event.ts";

/** What an audit log says of each event and a webhook's list once for all. */
const ofTheList: ReadonlySet<string> = new Set(["kind", "apiVersion"]);

/**
 * A text that the same event always has and no other: of its source, cluster and content. One event is the same in an
 * audit log and in a webhook's list, which differ in saying its kind. Never of `auditID` alone: clients choose it.
 */
export const eventIdentity = ({ source, cluster, root, text }: JsonEvent): string => {
  const hash = createHash("sha256").update(JSON.stringify([source, cluster ?? ""]));
  if (root?.kind !== "object") return hash.update(text).digest("base64");
  const keys = root.keys();
  for (const [i, key] of keys.entries()) {
    if (ofTheList.has(key)) continue;
    hash.update(JSON.stringify(key)).update(root.at(i)?.compact() ?? "");
  }
  return hash.digest("base64");
};
