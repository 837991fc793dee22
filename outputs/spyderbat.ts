import { gzipSync } from "node:zlib";
import { type Alert, goJson, isNumber, numberFromText, numberText, type Priority } from "../src/sdk/alert.ts";
import { DeliveryError } from "../src/sdk/errors.ts";
import { type Config, secret, text, url } from "../src/sdk/fields.ts";
import { joinUrl } from "../src/sdk/http.ts";
import { defineOutput } from "../src/sdk/output.ts";
import { parseTime } from "../src/sdk/rfc3339.ts";

const fields = {
  orguid: text("UID of the organization."),
  apikey: secret("API key of a user who may write to the organization."),
  apiurl: url("URL of the API.", { default: "https://api.spyderbat.com" }),
  source: text("Name of the source that the alerts are shown under.", "falcosidekick"),
  sourcedescription: text("Description of the source."),
};
type Settings = Config<typeof fields>;

const levels: Readonly<Record<Priority, string>> = {
  Emergency: "critical",
  Alert: "high",
  Critical: "critical",
  Error: "high",
  Warning: "medium",
  Notice: "low",
  Informational: "info",
  Debug: "info",
};

export default defineOutput({
  name: "spyderbat",
  display: "Spyderbat",
  category: "logs",
  about: "Spyderbat, as events of a source.",
  fields,
  example: { orguid: "org1", apikey: "0123456789abcdef", apiurl: "http://127.0.0.1:8080" },
  batch: { items: 500, bytes: 1_000_000 },
  enabled: (config) => config.orguid !== "",
  check: ({ apikey }) => (apikey === "" ? ["apikey: is missing"] : []),
  open: (config, host) => {
    const headers = { "User-Agent": "Falcosidekick", Authorization: `Bearer ${config.apikey}` };
    const uid = `${config.source}_${config.orguid}`;
    const sources = joinUrl(config.apiurl, `/api/v1/org/${encodeURIComponent(config.orguid)}/source/`);
    const data = {
      url: `${sources}${encodeURIComponent(uid)}/data/sb-agent`,
      headers: { ...headers, "Content-Encoding": "gzip", "Content-Type": "application/ndjson" },
    };
    return {
      send: async (alerts, signal) => {
        const lines = alerts.map((alert) => `${goJson(event(alert, host.now()))}\n`).join("");
        await host.http({ ...data, body: gzipSync(lines) }, signal);
      },
      start: async (signal) => {
        const listed = await host.http({ method: "GET", url: sources, headers }, signal).catch(absent);
        if (listed?.body.includes(goJson(uid))) return;
        await host.http({ url: sources, headers, body: `${goJson(sourceOf(config, uid))}\n` }, signal);
      },
    };
  },
});

const absent = (error: unknown): undefined => {
  if (!(error instanceof DeliveryError && error.fault.reason === "not_found")) throw error;
};

const sourceOf = ({ source, sourcedescription }: Settings, uid: string) => ({
  name: source,
  description: sourcedescription,
  uid,
});

/** An event; `now` is in milliseconds, its times in seconds and nanoseconds. */
const event = ({ uuid, time, priority, output, output_fields: fields }: Alert, now: number) => {
  const { "evt.time": at, "proc.pid": pid, "proc.cmdline": args, "container.id": container } = fields;
  const seconds = isNumber(at) ? Math.floor(Number(numberText(at)) / 1e9) : (parseTime(time)?.seconds ?? 0);
  const words = output.replace(/^\d\S*: [A-Z][a-z]+ /, "");
  return {
    schema: "falco_alert::1.0.0",
    id: uuid,
    monotonic_time: numberFromText(`${now}000000`),
    orc_time: now / 1000,
    time: seconds,
    ...(isNumber(pid) && { pid }),
    level: levels[priority],
    msg: output === "" ? null : words.split(" "),
    args: typeof args === "string" ? args : "",
    container: typeof container === "string" ? container : "",
  };
};
