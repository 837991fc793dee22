import type { ConnectionRequestOptions, ConnectionRequestParams } from "@elastic/elasticsearch";
import type { Alert } from "../src/sdk/alert.ts";
import { bulkFaults, document, indexName, settle } from "../src/sdk/elastic.ts";
import { DeliveryError } from "../src/sdk/errors.ts";
import { type Config, duration, flag, int, pairs, secret, text, url } from "../src/sdk/fields.ts";
import { basicAuth, headerFaults, joinUrl, jsonHeaders, mergeHeaders } from "../src/sdk/http.ts";
import { indexTemplate } from "../src/sdk/index-template.ts";
import { remember } from "../src/sdk/message.ts";
import { defineOutput, type Host } from "../src/sdk/output.ts";

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
/** One document: `at` decides its index, `without` leaves a field out. */
interface Item {
  readonly alert: Alert;
  readonly at: number;
  readonly without?: string;
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
  check: (config) => headerFaults("customheaders", config.customheaders),
  open: async (config, host) => {
    const client = await openClient(config, host);
    const flatten = config.flattenfields || config.createindextemplate;
    const type = config.type && config.type !== "_doc" ? `,"_type":${JSON.stringify(config.type)}` : "";
    const head = remember((index) => `{"create":{"_index":${JSON.stringify(index)}${type},"_id":`);
    const bulk = async (items: readonly Item[], signal: AbortSignal) => {
      const operations = items.flatMap(({ alert, at, without }) => [
        `${head(indexName(config.index, config.suffix, at))}${JSON.stringify(alert.uuid)}}}`,
        document(alert, flatten, without),
      ]);
      const pipeline = config.pipeline ? { pipeline: config.pipeline } : {};
      return bulkFaults(await client.bulk({ operations, ...pipeline }, { signal }).catch(asFault), items.length);
    };
    return {
      /** A document refused for the type of one field goes again at once without that field. */
      send: async (alerts, signal, accepted = []) => {
        const items: Item[] = alerts.map((alert, i) => ({ alert, at: accepted[i] ?? host.now() }));
        const faults = await bulk(items, signal);
        const bare = faults.filter((fault) => fault.field !== undefined);
        if (bare.length === 0) return settle(faults);
        const again = bare.flatMap(({ index, field }) => ({ ...(items[index] as Item), without: field ?? "" }));
        const still = await bulk(again, signal);
        const left = still.map((fault) => ({ ...fault, index: bare[fault.index]?.index ?? 0 }));
        settle([...faults.filter((fault) => fault.field === undefined), ...left]);
      },
      start: async (signal) => {
        if (!config.createindextemplate) return;
        const known = await client.indices.getIndexTemplate({ name: "falco" }, { signal }).catch(asFault).catch(absent);
        const pattern = config.suffix === "none" ? config.index : `${config.index}-*`;
        const template = indexTemplate(pattern, config.numberofshards, config.numberofreplicas);
        if (!known)
          await client.indices.putIndexTemplate({ name: "falco", ...template } as Template, { signal }).catch(asFault);
      },
      close: () => client.close(),
    };
  },
});

const absent = (error: unknown) => {
  if (error instanceof DeliveryError && error.fault.reason === "not_found") return undefined;
  throw error;
};

const asFault = (error: unknown): never => {
  if (error instanceof DeliveryError) throw error;
  throw new DeliveryError("the Elasticsearch client failed", { reason: "bad_reply", retryable: true });
};

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
        { method: params.method as "POST", url, headers, ...(body.length > 0 && { body }) },
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
