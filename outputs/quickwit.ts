import { rawEvent } from "../src/sdk/alert.ts";
import { DeliveryError } from "../src/sdk/errors.ts";
import { type Config, flag, pairs, text, url } from "../src/sdk/fields.ts";
import { headerFaults, joinUrl, jsonHeaders, mergeHeaders, postJson } from "../src/sdk/http.ts";
import { defineOutput } from "../src/sdk/output.ts";
import { membersOf } from "../src/sdk/reply.ts";
import { wordsOf } from "../src/sdk/words.ts";

const fields = {
  hostport: url("URL of Quickwit."),
  apiendpoint: text("Path of the API.", "api/v1"),
  index: text("Index that the documents go to.", "falco"),
  version: text("Version of the index configuration that is put by autocreateindex.", "0.7"),
  autocreateindex: flag("Make the index at start when there is none."),
  customheaders: pairs("Headers added to every request; they may replace the standard ones.", { secret: true }),
};

export default defineOutput({
  name: "quickwit",
  display: "Quickwit",
  category: "logs",
  about: "Quickwit, one document per alert.",
  fields,
  example: { hostport: "http://127.0.0.1:7280", autocreateindex: true },
  // A request of 10 MB is taken.
  batch: { items: 500, bytes: 5_000_000 },
  enabled: (config) => config.hostport !== "",
  check: (config) => headerFaults("customheaders", config.customheaders),
  open: (config, host) => {
    const headers = mergeHeaders(jsonHeaders, config.customheaders);
    const index = encodeURIComponent(config.index);
    return {
      send: async (alerts, signal) => {
        const body = alerts.map((alert) => `${rawEvent(alert)}\n`).join("");
        const reply = await host.http({ url: at(config, `${index}/ingest`), headers, body }, signal);
        // It counts the documents that it rejected and does not say which they are.
        if (!(Number(membersOf(reply).num_rejected_docs) > 0)) return;
        const fault = { reason: "invalid", retryable: false } as const;
        throw new DeliveryError("documents were rejected", fault, wordsOf(reply.body));
      },
      start: async (signal) => {
        if (!config.autocreateindex) return;
        const described = { method: "GET", url: at(config, `indexes/${index}/describe`), headers } as const;
        const known = await host.http(described, signal).catch(absent);
        if (!known) await host.http(postJson(at(config, "indexes"), indexOf(config), headers), signal);
      },
    };
  },
});

const at = ({ hostport, apiendpoint }: Config<typeof fields>, path: string): string =>
  joinUrl(hostport, `/${apiendpoint.replaceAll(/^\/+|\/+$/g, "")}/${path}`);

const absent = (error: unknown): undefined => {
  if (!(error instanceof DeliveryError && error.fault.reason === "not_found")) throw error;
};

/** The index configuration: all that Falco sends has its place, names of output fields may hold dots. */
const indexOf = ({ index, version }: Config<typeof fields>) => ({
  index_id: index,
  version,
  search_settings: { default_search_fields: ["rule", "source", "output", "priority", "hostname", "tags"] },
  doc_mapping: {
    dynamic_mapping: {
      description: "Falco",
      fast: true,
      expand_dots: true,
      indexed: true,
      record: "basic",
      stored: true,
      tokenizer: "raw",
    },
    field_mappings: [
      { name: "time", type: "datetime", fast: true },
      ...["uuid", "hostname", "priority", "source"].map((name) => ({ name, type: "text", fast: true })),
      { name: "output", type: "text", fast: false },
      { name: "rule", type: "text", fast: true },
      { name: "tags", type: "array<text>", fast: true },
      { name: "output_fields", type: "json", fast: true },
    ],
    mode: "dynamic",
    store_source: true,
    timestamp_field: "time",
  },
});
