import { createHash } from "node:crypto";

/**
 * A hub that takes an alert which its own kind sent to a URL that it sends to as well would send it there again, for ever:
 * what falco.yaml's `http_output` sends bears this header, and the door of such a hub refuses it.
 */
export const loopHeader = "eyrie-http-output";

/** What the header says of a URL, which may hold a secret. */
export const loopMark = (url: string): string => createHash("sha256").update(url).digest("hex").slice(0, 16);
