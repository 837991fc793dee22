import { createHash } from "node:crypto";
import { type Alert, goJson, rawEvent } from "./alert.ts";

/**
 * What a destination that drops repetitions knows an alert by: a digest of what it says and its uuid, which a sender may
 * choose. The same alert sent again has the same id; another one under its uuid has not, and does not vanish behind it.
 * Tags and hostname stay out: two hubs that judge one event differ in nothing else.
 */
export const deliveryId = (alert: Alert): string =>
  `${createHash("sha256").update(said(alert)).digest("hex").slice(0, 32)}-${alert.uuid}`;

/** The raw event up to its tags and hostname, which stand last. */
const said = (alert: Alert): string => {
  const text = rawEvent(alert);
  const tags = alert.tags.length > 0 ? `,"tags":${goJson(alert.tags)}` : "";
  const hostname = alert.hostname ? `,"hostname":${goJson(alert.hostname)}` : "";
  const end = `${tags}${hostname}}`;
  return text.endsWith(end) ? text.slice(0, -end.length) : text;
};
