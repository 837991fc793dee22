/**
 * Every key of falcosidekick 2.34 with its default, so that each is known by name whatever the hub does with it. A line
 * is a block: `block: key=default; key; …`, `!` before the key that enables its output; the first block holds the global keys.
 */
const table = `
: mutualtlsfilespath=/etc/certs; debug=false; listenaddress; listenport=2801; bracketreplacer; outputfieldformat; customfields; customtags; templatedfields
mutualtlsclient: certfile; keyfile; cacertfile
tlsclient: cacertfile
tlsserver: deploy=false; certfile=/etc/certs/server/server.crt; keyfile=/etc/certs/server/server.key; mutualtls=false; cacertfile=/etc/certs/server/ca.crt; notlsport=2810; notlspaths
prometheus: extralabels
slack: *; !webhookurl; channel; footer=@project; icon=@icon; username=Falcosidekick; outputformat=all; minimumpriority; messageformat
cliq: *; !webhookurl; icon=@icon; outputformat=all; minimumpriority; messageformat; useemoji=false
mattermost: *; !webhookurl; footer=@project; icon=@icon; username=Falcosidekick; outputformat=all; minimumpriority; messageformat
rocketchat: *; !webhookurl; footer=@project; icon=@icon; username=Falcosidekick; outputformat=all; minimumpriority; messageformat
teams: *; !webhookurl; activityimage=@icon; outputformat=all; minimumpriority
webex: *; !webhookurl; minimumpriority
datadog: *; !apikey; host=https://api.datadoghq.com; minimumpriority
datadoglogs: *; !apikey; host=https://http-intake.logs.datadoghq.com/; minimumpriority; service
discord: *; !webhookurl; minimumpriority; icon=@icon
alertmanager: *; !hostport; minimumpriority; endpoint=/api/v2/alerts; expiresafter=0; extralabels; extraannotations; customseveritymap; dropeventthresholds=10000:critical: 1000:critical: 100:critical: 10:warning: 1:warning; dropeventdefaultpriority=critical; customheaders
elasticsearch: *; !hostport; index=falco; type=_doc; pipeline; minimumpriority; suffix=daily; username; password; apikey; flattenfields=false; createindextemplate=false; numberofshards=3; numberofreplicas=3; customheaders; batching.enabled=false; batching.batchsize=5242880; batching.flushinterval=1s; enablecompression=false
quickwit: *; !hostport; apiendpoint=api/v1; index=falco; version=0.7; customheaders; minimumpriority; autocreateindex=false
influxdb: *; !hostport; database=falco; organization; bucket=falco; precision=ns; user; password; token; minimumpriority
loki: *; !hostport; user; apikey; minimumpriority; tenant; format=text; endpoint=/loki/api/v1/push; extralabels; customheaders
sumologic: *; minimumpriority; !receiverurl; sourcecategory; sourcehost; name
nats: *; !hostport; subjecttemplate=falco.<priority>.<rule>; minimumpriority
stan: *; !hostport; clusterid; clientid; subjecttemplate=falco.<priority>.<rule>; minimumpriority
aws: region; accesskeyid; secretaccesskey; rolearn; externalid; checkidentity=true
aws.lambda: !functionname; invocationtype=RequestResponse; logtype=Tail; minimumpriority
aws.sqs: !url; minimumpriority
aws.sns: !topicarn; rawjson=false; minimumpriority
aws.s3: prefix=falco; !bucket; minimumpriority; endpoint; objectcannedacl=bucket-owner-full-control
aws.securitylake: !bucket; region; prefix; accountid; interval=5; batchsize=1000; minimumpriority
aws.cloudwatchlogs: !loggroup; logstream; minimumpriority
aws.kinesis: !streamname; minimumpriority
smtp: !hostport; tls=true; authmechanism=plain; user; password; token; identity; trace; from; to; outputformat=html; minimumpriority
opsgenie: *; region=us; !apikey; minimumpriority
statsd: !forwarder; namespace=falcosidekick.; tags
dogstatsd: !forwarder; namespace=falcosidekick.; tags
webhook: *; !address; method=POST; customheaders; minimumpriority
cloudevents: *; !address; extensions; minimumpriority
azure.eventhub: namespace; !name; minimumpriority
gcp: credentials; workloadidentity
gcp.pubsub: projectid; !topic; minimumpriority; customattributes
gcp.storage: !bucket; prefix; minimumpriority
gcp.cloudfunctions: !name; minimumpriority
gcp.cloudrun: !endpoint; jwt; minimumpriority
gcp.chronicle: minimumpriority; region; projectid; !instanceid; logtype=FALCO_IDS
googlechat: *; !webhookurl; outputformat=all; minimumpriority; messageformat
kafka: !hostport; topic; minimumpriority; sasl; tls=false; username; password; balancer=round_robin; clientid; compression=NONE; async=false; requiredacks=NONE; topiccreation=false
kafkarest: *; !address; version=2; minimumpriority
pagerduty: *; !routingkey; region=us; minimumpriority
kubeless: *; namespace; !function; port=8080; kubeconfig; minimumpriority
openfaas: *; gatewaynamespace=openfaas; gatewayservice=gateway; !functionname; functionnamespace=openfaas-fn; gatewayport=8080; kubeconfig; minimumpriority
tekton: checkcert=true; mutualtls; maxconcurrentrequests; !eventlistener; minimumpriority
webui: *; !url
policyreport: !enabled=false; prunebypriority=false; kubeconfig; falconamespace; minimumpriority; maxevents=1000
rabbitmq: !url; queue; minimumpriority
wavefront: endpointtype; !endpointhost; endpointtoken; endpointmetricport=2878; metricname=falco.alert; flushintervalseconds; batchsize=10000; minimumpriority
fission: *; routernamespace=fission; routerservice=router; routerport=80; !function; kubeconfig; minimumpriority
grafana: *; !hostport; apikey; dashboardid=0; panelid=0; allfieldsastags=false; minimumpriority; customheaders
grafanaoncall: *; !webhookurl; minimumpriority; customheaders
yandex: accesskeyid; secretaccesskey; region=ru-central1
yandex.s3: endpoint=https://storage.yandexcloud.net; prefix=falco; !bucket; minimumpriority
yandex.datastreams: endpoint=https://yds.serverless.yandexcloud.net; !streamname; minimumpriority
syslog: !host; port; protocol; format=json; minimumpriority
nodered: checkcert=true; mutualtls; maxconcurrentrequests; !address; user; password; customheaders; minimumpriority
mqtt: !broker; topic=falco/events; qos=0; retained=false; user; password; checkcert=true; minimumpriority
zincsearch: !hostport; index=falco; username; password; checkcert=true; minimumpriority
gotify: !hostport; token; format=markdown; checkcert=true; minimumpriority
spyderbat: !orguid; apikey; apiurl=https://api.spyderbat.com; source=falcosidekick; sourcedescription; minimumpriority
timescaledb: !host; port=5432; user=postgres; password=postgres; database=falcosidekick; hypertablename=falcosidekick_events; minimumpriority
redis: !address; username; password; database=0; storagetype=list; key=falco; version; minimumpriority; checkcert=true; tls; mutualtls=false; certfile; keyfile; cacertfile
telegram: host=https://api.telegram.org; !token; chatid; minimumpriority; checkcert=true; messagethreadid
n8n: !address; user; password; headerauthname; headerauthvalue; minimumpriority; checkcert=true
openobserve: *; !hostport; organizationname=default; streamname=falco; minimumpriority; username; password; customheaders
dynatrace: !apitoken; apiurl; minimumpriority; checkcert=true
otlp.traces: !endpoint; protocol=http/protobuf; timeout=10000; headers; duration=1000; synced=false; extraenvvars; tls=false; checkcert=true; minimumpriority
otlp.metrics: !endpoint; protocol=http/protobuf; timeout=10000; headers; extraenvvars; tls=false; checkcert=true; minimumpriority; extraattributes
otlp.logs: !endpoint; protocol=http/protobuf; timeout=10000; synced; headers; extraenvvars; tls=false; checkcert=true; minimumpriority
talon: !address; checkcert=true; minimumpriority
logstash: !address; port=5044; minimumpriority; checkcert=false; tls; mutualtls=false; certfile; keyfile; cacertfile; tags
splunk: *; !host; customheaders; token; minimumpriority
`;

const common = "checkcert=true; mutualtls=false; maxconcurrentrequests=1";
const project = "https://github.com/falcosecurity/falcosidekick";
const icon = "https://raw.githubusercontent.com/falcosecurity/falcosidekick/master/imgs/falcosidekick_color.png";

const parseBlock = (line: string): (readonly [string, string])[] => {
  const colon = line.indexOf(": ");
  const block = line.slice(0, colon);
  const keys = line
    .slice(colon + 2)
    .replace("*", common)
    .replaceAll("@project", project)
    .replaceAll("@icon", icon);
  return keys.split("; ").map((item) => {
    const equals = item.indexOf("=");
    const key = equals < 0 ? item : item.slice(0, equals);
    return [block === "" ? key : `${block}.${key}`, equals < 0 ? "" : item.slice(equals + 1)];
  });
};

const parsed = table.trim().split("\n").flatMap(parseBlock);

/** Dotted key → default as text. */
export const falcosidekickKeys: ReadonlyMap<string, string> = new Map(
  parsed.map(([key, value]) => [key.replace("!", ""), value]),
);

/** The keys that enable an output: without a value, whatever else is set for it is of no interest to anybody. */
export const enablingKeys: ReadonlySet<string> = new Set(
  parsed.flatMap(([key]) => (key.includes("!") ? [key.replace("!", "")] : [])),
);

/** Blocks, one per output (`slack`, `aws.sqs`), and the parents `aws`, `gcp`, `yandex`. */
export const falcosidekickBlocks: readonly string[] = table
  .trim()
  .split("\n")
  .map((line) => line.slice(0, line.indexOf(":")))
  .filter((block) => block !== "");

const outputBlocks = new Set([...enablingKeys].map((key) => key.slice(0, key.lastIndexOf("."))));
/** Whether a block is an output's: `slack`, `aws.sqs`, but not `aws` or `tlsclient`. */
export const isOutputBlock = (path: string): boolean => outputBlocks.has(path);
