import { type Alert, goJson } from "../src/sdk/alert.ts";
import { flag, int, pairs, secret, url } from "../src/sdk/fields.ts";
import { headerFaults, joinUrl, mergeHeaders, postJson } from "../src/sdk/http.ts";
import { inHtml } from "../src/sdk/markup.ts";
import { everything, fit, fitBytes, readable } from "../src/sdk/message.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";
import { parseTime } from "../src/sdk/rfc3339.ts";

/** Of one tag in characters, of all as JSON in bytes (`tags_length` of Grafana's configuration), of the text in bytes. */
const limits = { tag: 100, tags: 500, text: 65_000 };

export default defineHttpOutput({
  name: "grafana",
  display: "Grafana",
  category: "other",
  about: "Grafana, as an annotation.",
  fields: {
    hostport: url("URL of Grafana."),
    apikey: secret("Token of a service account."),
    dashboardid: int("Id of the dashboard; 0: the annotation belongs to the organization.", 0),
    panelid: int("Id of the panel; 0: the annotation belongs to the dashboard.", 0),
    allfieldsastags: flag("Make tags of the output fields too, as many as Grafana takes."),
    customheaders: pairs("Headers added to the request; they may replace the standard ones.", { secret: true }),
  },
  example: { hostport: "http://127.0.0.1:3000", apikey: "glsa_0123456789abcdef" },
  enabled: (config) => config.hostport !== "",
  check: ({ apikey, customheaders }) => [
    ...(apikey === "" && !authorized(customheaders) ? ["apikey: is missing"] : []),
    ...headerFaults("customheaders", customheaders),
  ],
  request: ([alert], config) => {
    const { output, fields } = readable(alert, everything);
    const { seconds, nanos } = parseTime(alert.time) ?? { seconds: 0, nanos: 0 };
    const time = Math.max(0, seconds * 1000 + Math.floor(nanos / 1e6));
    const { dashboardid, panelid } = config;
    const annotation = {
      ...(dashboardid > 0 && { dashboardId: dashboardid }),
      ...(panelid > 0 && { panelId: panelid }),
      time,
      timeEnd: time,
      tags: tagsOf(alert, config.allfieldsastags ? fields.map(([, value]) => value) : undefined),
      text: fitBytes(inHtml(output), limits.text),
    };
    const key = config.apikey ? { Authorization: `Bearer ${config.apikey}` } : {};
    const headers = mergeHeaders({ "Content-Type": "application/json" }, key, config.customheaders);
    return postJson(joinUrl(config.hostport, "/api/annotations"), annotation, headers);
  },
});

const authorized = (headers: Readonly<Record<string, string>>): boolean =>
  Object.keys(headers).some((name) => /^(authorization|cookie)$/i.test(name));

/** The alert's own tags have their place before those of its fields; with fields, as falcosidekick, behind them. */
const tagsOf = (alert: Alert, values: readonly string[] | undefined): readonly string[] => {
  const { priority, rule, source, hostname } = alert;
  let left = limits.tags - "[]".length;
  const fitting = (tags: readonly string[]): string[] =>
    tags.flatMap((tag) => {
      const text = fit(tag, limits.tag);
      const bytes = Buffer.byteLength(goJson(text)) + ",".length;
      if (text === "" || bytes > left) return [];
      left -= bytes;
      return [text];
    });
  const own = fitting(["falco", priority, rule, source, hostname ?? ""]);
  if (values === undefined) return own;
  const tags = fitting(alert.tags);
  return [...own, ...fitting(values), ...tags];
};
