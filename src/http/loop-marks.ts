/** Alerts that outputs send to a URL of falco.yaml bear a mark, by which they are known when they come back to this hub. */

import type { HubConfig } from "../config/types.ts";
import { loopHeader } from "../sdk/loop.ts";
import { HttpError } from "./errors.ts";

/** The marks of this hub's own outputs. */
export const loopMarks = (config: Pick<HubConfig, "outputs">): ReadonlySet<string> =>
  new Set(
    config.outputs.flatMap(({ config: { customheaders } }) => {
      const mark = (customheaders as Readonly<Record<string, string>> | undefined)?.[loopHeader];
      return mark ?? [];
    }),
  );

/** Throws when the request bears one of the marks: its alerts would come again for ever. */
export const refuseLoop = (mark: string | readonly string[] | undefined, marks: ReadonlySet<string>): void => {
  if (typeof mark === "string" && marks.has(mark))
    throw new HttpError(400, "bad_request", "http_output leads back to this hub: the alert would come again for ever");
};
