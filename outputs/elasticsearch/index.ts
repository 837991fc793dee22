import type { ConnectionRequestOptions, ConnectionRequestParams } from "@elastic/elasticsearch";
import type { Alert } from "../../src/sdk/alert.ts";
import { deliveryId } from "../../src/sdk/delivery-id.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";
import { failures } from "../../src/sdk/failures.ts";
import { type Config, choice, duration, flag, int, oddValue, pairs, secret, text, url } from "../../src/sdk/fields.ts";
import { basicAuth, headerFaults, joinUrl, jsonHeaders, mergeHeaders } from "../../src/sdk/http.ts";
import { remember } from "../../src/sdk/message.ts";
import { defineOutput, type Host } from "../../src/sdk/output.ts";
import { bulkFaults, type ItemFault } from "./bulk.ts";
import { document } from "./document.ts";
import { indexName, indexNameFault } from "./index-name.ts";
import { fieldMappings, indexTemplate } from "./index-template.ts";

const fields = {
  hostport: url("URL of Elasticsearch or OpenSearch."),
  index: text("Start of the index name.", "falco"),
  type: text("Type of the documents, for Elasticsearch 6 and older.", "_doc"),
  pipeline: text("Ingest pipeline that the documents pass."),
  suffix: text("Date at the end of the index name: daily, monthly, annually or none.", "daily"),
  username: text("User of basic authentication."),
  password: secret("Password of basic authentication."),
  apikey: secret("API key, used when no user is set."),
  flattenfields: flag("Write `.` in the names of output fields as `_`."),
  createindextemplate: flag("Put the index template at start when there is none; implies flattenfields."),
  numberofshards: int("Shards in the index template.", 3, 1),
  numberofreplicas: int("Replicas in the index template.", 3),
  fieldmapping: choice(
    "How the index template types output fields: dynamic (the first document decides, as falcosidekick), keyword, flattened.",
    fieldMappings,
    "dynamic",
  ),
  customheaders: pairs("Headers added to every request.", { secret: true }),
  enablecompression: flag("Compress requests with gzip."),
  "batching.enabled": flag("Accepted for falcosidekick's sake: requests are always bulk requests."),
  "batching.batchsize": int("Bytes of documents in one bulk request at most.", 5_242_880, 1),
  "batching.flushinterval": duration(
    "Accepted for falcosidekick's sake: a batch waits only while requests are in flight.",
    "1s",
  ),
};
type Settings = Config<typeof fields>;
/** One document: its place in the batch, `at` decides its index, `without` leaves fields out. */
interface Item {
  readonly index: number;
  readonly alert: Alert;
  readonly at: number;
  readonly without: readonly string[];
}
type Template = import("@elastic/elasticsearch").estypes.IndicesPutIndexTemplateRequest;

export default defineOutput({
  name: "elasticsearch",
  display: "Elasticsearch",
  category: "logs",
  about: "Elasticsearch or OpenSearch, one document per alert, through the bulk endpoint.",
  fields,
  example: { hostport: "http://127.0.0.1:9200", username: "falco", password: "changeme" },
  batch: { items: 500, bytes: 5_242_880 },
  batchOf: (config) => ({ items: 500, bytes: config["batching.batchsize"] }),
  enabled: (config) => config.hostport !== "",
  check: ({ index, customheaders }) => {
    const fault = indexNameFault(index);
    return [...(fault === undefined ? [] : [`index: ${fault}`]), ...headerFaults("customheaders", customheaders)];
  },
  warn: ({ fieldmapping, createindextemplate, username, password, suffix }) => [
    ...oddValue("suffix", suffix, ["daily", "monthly", "annually", "none"], "daily is used"),
    ...(fieldmapping === "dynamic" || createindextemplate
      ? []
      : ["fieldmapping: has no effect without createindextemplate, which puts the index template"]),
    ...(username !== "" && password === "" ? ["password: is missing, so username is not sent"] : []),
    ...(username === "" && password !== "" ? ["username: is missing, so password is not sent"] : []),
  ],
  open: async (config, host) => {
    const client = await openClient(config, host);
    const flatten = config.flattenfields || config.createindextemplate;
    const type = config.type && config.type !== "_doc" ? `,"_type":${JSON.stringify(config.type)}` : "";
    const head = remember((index) => `{"create":{"_index":${JSON.stringify(index)}${type},"_id":`);
    const bulk = async (items: readonly Item[], signal: AbortSignal) => {
      const operations = items.flatMap(({ alert, at, without }) => [
        `${head(indexName(config.index, config.suffix, at))}${JSON.stringify(deliveryId(alert))}}}`,
        document(alert, flatten, without),
      ]);
      const pipeline = config.pipeline ? { pipeline: config.pipeline } : {};
      const reply = await client.bulk({ operations, ...pipeline }, { signal }).catch(asFault);
      // A second document of one id within a request is the same one, too.
      return bulkFaults(reply, items.length).map((fault) => ({ ...fault, index: items[fault.index]?.index ?? 0 }));
    };
    const told = new Set<string>();
    /** A line for every field when it is first left out; the count goes on in the metric. */
    const tell = (fields: readonly string[], said: string) => {
      host.omitted(fields.length);
      const fresh = fields.filter((field) => !told.has(field));
      if (fresh.length === 0 || told.size >= mostTold) return;
      for (const field of fresh) told.add(field);
      host.log.warn({ fields: fresh, said }, "the index refuses these fields: documents are stored without them");
    };
    return {
      /** A document refused for the type of fields goes again at once without these. */
      send: async (alerts, signal, accepted = []) => {
        let items: readonly Item[] = alerts.map((alert, index) => ({
          index,
          alert,
          at: accepted[index] ?? host.now(),
          without: [],
        }));
        const final: ItemFault[] = [];
        for (let round = 0; items.length > 0; round += 1) {
          const faults = await bulk(items, signal);
          const sent = new Map(items.map((item) => [item.index, item]));
          const again: Item[] = [];
          for (const fault of faults) {
            const item = sent.get(fault.index) as Item;
            const fields = fault.fields.filter((field) => !item.without.includes(field));
            if (fields.length === 0 || round >= mostRounds) final.push(fault);
            else {
              tell(fields, fault.said);
              again.push({ ...item, without: [...item.without, ...fields] });
            }
          }
          items = again;
        }
        failures(final, (_, count) => `${count} of the documents were refused`);
      },
      start: async (signal) => {
        if (!config.createindextemplate) return;
        const known = await client.indices.getIndexTemplate({ name: "falco" }, { signal }).catch(asFault).catch(absent);
        const pattern = config.suffix === "none" ? config.index : `${config.index}-*`;
        const template = indexTemplate(pattern, config.numberofshards, config.numberofreplicas, config.fieldmapping);
        if (!known)
          await client.indices.putIndexTemplate({ name: "falco", ...template } as Template, { signal }).catch(asFault);
      },
      close: () => client.close(),
    };
  },
});

/** Fields are named one or two at a time; a document with more bad ones than this is a dead letter. */
const mostRounds = 10;
/** Names of fields are the senders': so many are logged. */
const mostTold = 1000;

const absent = (error: unknown) => {
  if (error instanceof DeliveryError && error.fault.reason === "not_found") return undefined;
  throw error;
};

const asFault = (error: unknown): never => {
  if (error instanceof DeliveryError) throw error;
  throw new DeliveryError("the Elasticsearch client failed", { reason: "bad_reply", retryable: true });
};

/** Bytes of an answer: a refusal of a document repeats the names of its fields, and every document has some lines. */
const answerOf = (body: string | Buffer): number => 1_048_576 + 4 * body.length;

/** The official client over the output's own connections: no retry, no sniffing, no product check, plain JSON content type. */
const openClient = async (config: Settings, host: Host) => {
  const { BaseConnection, Client } = await import("@elastic/elasticsearch");
  const key = config.apikey ? { Authorization: `APIKey ${config.apikey}` } : {};
  const user = config.username && config.password ? { Authorization: basicAuth(config.username, config.password) } : {};
  const own = mergeHeaders(jsonHeaders, key, user, config.customheaders);
  const Connection = class extends BaseConnection {
    // biome-ignore lint/suspicious/noExplicitAny: the base class declares two overloads, of which the client uses one here
    override async request(params: ConnectionRequestParams, options: ConnectionRequestOptions): Promise<any> {
      const encoding = params.headers?.["content-encoding"];
      const headers = encoding ? mergeHeaders({ "Content-Encoding": encoding }, own) : own;
      const url = joinUrl(config.hostport, params.path) + (params.querystring ? `?${params.querystring}` : "");
      const body = (params.body ?? "") as string | Buffer;
      const reply = await host.http(
        { method: params.method as "POST", url, headers, keep: answerOf(body), ...(body.length > 0 && { body }) },
        options.signal ?? new AbortController().signal,
      );
      // Said for the destination: OpenSearch is no Elasticsearch, and proxies drop the type.
      const type = reply.body.startsWith("{") ? "application/json" : "text/plain";
      const said = { "content-type": type, "x-elastic-product": "Elasticsearch" };
      return { statusCode: reply.status, headers: said, body: reply.body };
    }
    /** The connections are the host's. */
    override async close() {}
  };
  return new Client({
    node: config.hostport,
    Connection,
    maxRetries: 0,
    compression: config.enablecompression,
    enableMetaHeader: false,
  });
};
