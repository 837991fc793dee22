import { ConvertError, isMap, type Json } from "./json.ts";

/**
 * The payload in a frame of OVHcloud's log tail (`{"message":"<json>"}`, the audit JSON in `short_message`). As in the
 * original it is what follows the first `> ` of `_appID> short_message`. Throws ConvertError for other frames.
 */
export const ovhPayload = (frame: string): string => {
  const outer = parse(frame);
  const message = isMap(outer) ? outer.message : undefined;
  if (typeof message !== "string") throw new ConvertError("the frame has no message");
  const inner = parse(message);
  if (!isMap(inner)) throw new ConvertError("the message is no JSON object");
  const { _appID: app, short_message: short } = inner;
  if (typeof short !== "string") throw new ConvertError("the message has no short_message");
  const line = `${app === undefined || app === null ? "" : String(app)}> ${short}`;
  return line.slice(line.indexOf("> ") + 2);
};

const parse = (text: string): Json => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new ConvertError("the frame is not JSON");
  }
};
