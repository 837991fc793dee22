import { createHash } from "node:crypto";
import { type Alert, rawEvent } from "./alert.ts";

/**
 * What a destination that drops repetitions knows an alert by: a digest of all that it says and its
 * uuid, which a sender may choose. The same alert sent again has the same id; another one under its uuid has not, and does not vanish behind it.
 */
export const deliveryId = (alert: Alert): string =>
  `${createHash("sha256").update(rawEvent(alert)).digest("hex").slice(0, 32)}-${alert.uuid}`;
