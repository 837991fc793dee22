import { rawEvent } from "../src/sdk/alert.ts";
import { pairs, url } from "../src/sdk/fields.ts";
import { mergeHeaders } from "../src/sdk/http.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";
import { formatTime, parseTime } from "../src/sdk/rfc3339.ts";

/** Of the specification and of the hub: no extension may take their place. */
const taken = new Set(
  "id source specversion type time datacontenttype dataschema subject data eventsource priority rule hostname".split(
    " ",
  ),
);

export default defineHttpOutput({
  name: "cloudevents",
  display: "CloudEvents",
  category: "web",
  about: "Any receiver of CloudEvents 1.0 over HTTP, in binary mode.",
  fields: {
    address: url("URL that events are sent to.", { secret: true }),
    extensions: pairs("Extension attributes of every event: lower-case letters and digits."),
  },
  example: { address: "http://127.0.0.1:8080/events", extensions: { cluster: "prod" } },
  enabled: (config) => config.address !== "",
  check: ({ extensions }) =>
    Object.keys(extensions).flatMap((name) => {
      if (taken.has(name)) return [`extensions: ${name} is an attribute that every event has`];
      return /^[a-z0-9]+$/.test(name)
        ? []
        : [`extensions: ${JSON.stringify(name)} is no name: lower-case letters and digits`];
    }),
  request: ([alert], { address, extensions }) => {
    const { rule, priority, source, hostname } = alert;
    const attributes = Object.entries({
      ...extensions,
      id: alert.uuid,
      source: "https://falco.org",
      specversion: "1.0",
      type: "falco.rule.output.v1",
      time: inUtc(alert.time),
      eventsource: source,
      priority,
      rule,
      ...(hostname && { hostname }),
    }).filter(([, value]) => value !== "");
    return {
      url: address,
      headers: mergeHeaders(
        { "Content-Type": "application/json", "User-Agent": "Falcosidekick" },
        Object.fromEntries(attributes.map(([name, value]) => [`Ce-${name}`, headerText(value)])),
      ),
      body: rawEvent(alert),
    };
  },
});

const inUtc = (time: string): string => {
  const instant = parseTime(time);
  return instant ? formatTime({ ...instant, offset: 0 }) : time;
};

/**
 * An attribute as a header, as the HTTP binding has it: what is not printable ASCII, `"` and `%` as escapes. A blank within
 * stays, which receivers read either way.
 */
const headerText = (value: string): string =>
  value
    .toWellFormed()
    .slice(0, longest)
    .toWellFormed()
    .replaceAll(/[^\x20-\x7e]+|["%]|^ +| +$/g, encodeURIComponent);
/** UTF-16 units: servers refuse long headers. */
const longest = 500;
