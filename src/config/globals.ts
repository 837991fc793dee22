import {
  type Config,
  choice,
  duration,
  fieldMeta,
  flag,
  int,
  list,
  pairs,
  secret,
  text,
  token,
  tokens,
  url,
} from "../sdk/fields.ts";

const certs = "/etc/certs";
/** Where Kubernetes puts what a container needs to ask its API. */
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Keys of the hub itself; falcosidekick's keep its names and defaults. */
export const globalFields = {
  role: choice("Which part this process runs: intake, worker, or all.", ["all", "intake", "worker"], "all"),
  listenaddress: text("Address to listen on; empty: every address."),
  listenport: int("Port to listen on.", 2801, 0, 65535),
  debug: flag("Log more, the payloads' sizes and answers included."),
  "log.format": choice("Form of the log: pretty on a terminal, else JSON.", ["auto", "json", "pretty"], "auto"),
  "log.level": choice(
    "Least severe level that is logged.",
    ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    "info",
  ),
  datadir: text("Folder of the embedded queue, the checkpoints and the history.", "./data"),
  "queue.driver": choice("Where accepted events wait: sqlite (embedded) or redis.", ["sqlite", "redis"], "sqlite"),
  "queue.durability": choice(
    "What an accepted event survives: normal, a kill of the process; full, a loss of power too.",
    ["normal", "full"],
    "normal",
  ),
  "queue.maxbytes": int("Bytes that the embedded queue may take on disk; 0: no limit.", 4 * 1024 ** 3),
  "queue.memory": int(
    "Bytes of memory for alerts on their way, over all outputs; the rest waits in the queue.",
    64 * 1024 * 1024,
    1024 * 1024,
  ),
  "queue.redis.url": url("URL of Redis; setting it selects the redis driver.", {
    secret: true,
    schemes: ["redis", "rediss"],
  }),
  "queue.redis.prefix": text("Start of every key; the braces keep the keys in one slot of a Cluster.", "{eyrie}"),
  "queue.redis.username": text("User, when the URL names none."),
  "queue.redis.password": secret("Password, when the URL holds none."),
  "queue.redis.cluster": list("Nodes of a Redis Cluster, host:port each."),
  "queue.redis.sentinels": list("Sentinels, host:port each."),
  "queue.redis.sentinelname": text("Name of the master that the Sentinels watch.", "mymaster"),
  "queue.redis.sentinelusername": text("User at the Sentinels."),
  "queue.redis.sentinelpassword": secret("Password at the Sentinels."),
  "queue.redis.tls": flag("Use TLS; a rediss:// URL does so by itself."),
  "queue.redis.checkcert": flag("Verify the certificate of Redis.", true),
  "queue.redis.cacertfile": text("PEM file of the CA that signed it."),
  "queue.redis.certfile": text("PEM file of the client certificate."),
  "queue.redis.keyfile": text("PEM file of its key."),
  "auth.token": token("Bearer token that senders must show."),
  "auth.tokens": tokens("Bearer tokens by the sender's name."),
  "operators.token": token(
    "Bearer token of the operators' API; without it auth.token opens that, and without both it answers the machine itself only.",
  ),
  "limits.maxbodybytes": int("Bytes of one request body at most, after decompression.", 67_108_864, 1),
  "limits.maxinflightbytes": int(
    "Bytes of all bodies of a listener being read or stored; above it the slowest body gives way, then intake refuses.",
    268_435_456,
    1,
  ),
  "limits.maxrequests": int("Requests of a listener at work; above it the slowest body gives way.", 2000, 1),
  "limits.requesttimeout": duration("Time within which a request must be complete.", "60s"),
  "limits.bodytimeout": duration("Time within which a request's body must have come.", "30s"),
  "limits.maxconnections": int("Open connections of a listener at most; 0: no limit.", 10_000),
  "limits.maxcompressionratio": int("Bytes that one compressed byte may become, above the first mebibyte.", 100, 1),
  "limits.maxalertbytes": int("Bytes of one posted alert, as compact JSON.", 1_048_576, 1),
  "limits.maxfields": int("Output fields of one posted alert.", 10_000, 1),
  "limits.maxfieldname": int("Characters of an output field's name.", 512, 1),
  "limits.maxname": int("Characters of a posted rule, source or hostname.", 512, 1),
  "limits.maxtags": int("Tags of one posted alert.", 256, 1),
  "limits.maxtaglength": int("Characters of one tag.", 512, 1),
  "limits.maxrefused": int("Refused values of one body, behind which its rest is not read.", 1000, 1),
  "prometheus.token": token("Bearer token that /metrics asks for."),
  "prometheus.maxseries": int("Label sets of the events metric; what comes beyond counts as overflow.", 10_000, 1),
  "prometheus.maxbytes": int(
    "Bytes of the events metric on the page; what comes beyond counts as overflow.",
    4_194_304,
    1,
  ),
  "prometheus.maxlabel": int("Characters of a label's value that a sender chose; the rest is cut.", 128, 1),
  shutdowntimeout: duration("Time for deliveries in flight when the process is told to stop.", "20s"),
  customfields: pairs("Output fields added to every alert; `%NAME` in the environment takes another variable's value."),
  customtags: list("Tags added to every alert."),
  templatedfields: pairs("Output fields added to every alert, each a Go template over its output fields."),
  bracketreplacer: text(
    "Text that takes the place of `[` in names of output fields, `]` is removed; empty: no change.",
    "",
    { raw: true },
  ),
  outputfieldformat: text(
    "Format of the output text: <timestamp>, <priority>, <output>, <custom_fields>, <tags>.",
    "",
    { raw: true },
  ),
  "metadata.collectors": list(
    "k8s-metacollectors that tell what the cluster has, host:port each; port 45000 where none is named.",
  ),
  "metadata.nodes": list("Nodes whose pods are asked for at every collector: a collector tells of one node at a time."),
  "metadata.cacertfile": text("PEM file of the CA that signed the collectors' certificates; empty: without TLS."),
  "metadata.kubernetes": flag(
    "Ask the Kubernetes API for the cluster's objects; beside collectors that have no nodes: for the nodes alone.",
  ),
  "metadata.apiserver": url("URL of the Kubernetes API; empty: that of the cluster in which the hub runs."),
  "metadata.tokenfile": text(
    "File of the token that the API is shown, read again for every request; empty: none.",
    `${serviceAccount}/token`,
  ),
  "metadata.apicacertfile": text(
    "PEM file of the CA that signed the API's certificate, read again as well; empty: the system's.",
    `${serviceAccount}/ca.crt`,
  ),
  "metadata.annotations": list("Annotations of pods that are kept, where the API is asked: `k8smeta.annotation[…]`."),
  "metadata.wait": duration(
    "How long an event or alert may wait for its object when that is not known yet; `1m` at most.",
    "0",
  ),
  "metadata.maxobjects": int("Objects of the cluster that are kept at most.", 500_000, 1),
  "metadata.maxbytes": int(
    "Bytes of memory, estimated, that they take at most; beyond, nothing new is kept.",
    512 * 1024 ** 2,
    1,
  ),
  "metadata.grace": duration("How long an object is still known after it is gone.", "60s"),
  "metadata.readywithin": duration("How long readiness waits for a first telling of all objects.", "30s"),
  "enrich.add": list(
    "Fields of the cluster (`k8smeta.*`) that every alert gets as output fields, where they are known.",
  ),
  "enrich.as": pairs("Names of those output fields, by field, where they are to have others."),
  "prometheus.extralabels": list("Output fields that become labels of the events metric."),
  mutualtlsfilespath: text("Folder of client.crt, client.key and ca.crt for outputs with mutualtls.", certs),
  "mutualtlsclient.certfile": text("Client certificate, in place of client.crt."),
  "mutualtlsclient.keyfile": text("Its key, in place of client.key."),
  "mutualtlsclient.cacertfile": text("CA of the servers, in place of ca.crt."),
  "tlsclient.cacertfile": text("CA trusted in addition to the system's."),
  "tlsserver.deploy": flag("Serve HTTPS."),
  "tlsserver.certfile": text("Certificate of the server.", `${certs}/server/server.crt`),
  "tlsserver.keyfile": text("Its key.", `${certs}/server/server.key`),
  "tlsserver.mutualtls": flag("Ask clients for a certificate."),
  "tlsserver.cacertfile": text("CA of the clients' certificates.", `${certs}/server/ca.crt`),
  "tlsserver.notlsport": int("Port for the paths that are served without TLS.", 2810, 0, 65535),
  "tlsserver.notlspaths": list("Paths served without TLS, and then not with it."),
};

/** Every key of the hub itself, parsed: durations in milliseconds. */
export type Globals = Config<typeof globalFields>;

const guards = new Set(Object.entries(globalFields).flatMap(([key, schema]) => (fieldMeta(schema).guard ? [key] : [])));

/** Keys whose faulty value would lose or leak alerts; any other key's default does no harm. */
export const mustFit = (key: string): boolean =>
  guards.has(key) || /^(role$|listen|datadir$|queue\.|tlsserver\.)/.test(key);
