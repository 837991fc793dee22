import { goJson } from "../../json/go.ts";
import { compareBytewise } from "../../sdk/bytewise.ts";
import { nanosOf, parseTime } from "../../sdk/rfc3339.ts";
import { ConvertError, type Converted, isMap, type Json, type JsonMap } from "./json.ts";

/**
 * The audit event that a Cloud Logging entry (protojson text) stands for. What GKE does not say is inferred: level, stage
 * and code, never a failure. Throws ConvertError for what is no Kubernetes audit entry, unknown keys included.
 */
export const gkeEvent = (text: string): Converted => {
  const entry = readEntry(text);
  const log = auditLogOf(entry);
  const time = receiveTime(entry);
  const method = String(log.methodName ?? "");
  const resourceName = String(log.resourceName ?? "");
  const verb = method.slice(method.lastIndexOf(".") + 1);
  const ref = objectRef(resourceName);
  const streaming = ref?.subresource === "exec" || ref?.subresource === "attach";
  const code = streaming ? 101 : verb === "create" ? 201 : 200;
  const status = `${{ 101: "Switching Protocols", 200: "OK", 201: "Created" }[code]} (inferred)`;
  const caller = mapAt(log, "requestMetadata");
  const agent = caller.callerSuppliedUserAgent;
  const user = mapAt(log, "authenticationInfo").principalEmail;
  const annotations = sorted({ ...mapAt(entry, "labels"), ...mapAt(mapAt(entry, "resource"), "labels") });
  return {
    timeNs: time.ns,
    text: goJson({
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: streaming ? "Request" : "RequestResponse",
      auditID: String(entry.insertId ?? ""),
      stage: streaming ? "ResponseStarted" : "ResponseComplete",
      requestURI: `/${resourceName}`,
      verb,
      user: user ? { username: user } : {},
      sourceIPs: [String(caller.callerIp ?? "")],
      ...(agent ? { userAgent: agent } : {}),
      ...(ref && { objectRef: ref }),
      responseStatus: { metadata: {}, status, message: status, code },
      ...(log.request !== undefined && { requestObject: sorted(log.request) }),
      ...(log.response !== undefined && { responseObject: sorted(log.response) }),
      requestReceivedTimestamp: time.text,
      stageTimestamp: time.text,
      ...(Object.keys(annotations as JsonMap).length > 0 && { annotations }),
    }),
  };
};

const entryKeys = new Set(
  "insertId labels logName operation protoPayload receiveTimestamp resource severity timestamp httpRequest trace spanId traceSampled sourceLocation split errorGroups apphub apphubDestination apphubSource textPayload jsonPayload metadata".split(
    " ",
  ),
);
const logKeys = new Set(
  "@type serviceName methodName resourceName resourceLocation resourceOriginalState numResponseItems status authenticationInfo authorizationInfo policyViolationInfo requestMetadata request response metadata serviceData".split(
    " ",
  ),
);

const readEntry = (text: string): JsonMap => {
  const value = parse(text);
  if (!isMap(value)) throw new ConvertError("the log entry is no JSON object");
  return known(value, entryKeys, "log entry");
};

const parse = (text: string): Json => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new ConvertError("the log entry is not JSON");
  }
};

/** protojson takes keys in camelCase and snake_case alike, and no others. */
const known = (map: JsonMap, keys: ReadonlySet<string>, what: string): JsonMap => {
  const out: Record<string, Json> = {};
  for (const [key, value] of Object.entries(map)) {
    const name = key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (!keys.has(name)) throw new ConvertError(`unknown field in the ${what}`);
    if (value !== null) out[name] = value;
  }
  return out;
};

const auditLogOf = (entry: JsonMap): JsonMap => {
  const log = entry.protoPayload;
  if (!isMap(log)) throw new ConvertError("not a protoPayload");
  if (!/cloudaudit\.googleapis\.com%2F(?:activity|data_access)$/.test(String(entry.logName ?? "")))
    throw new ConvertError("not an audit log");
  if (mapAt(entry, "resource").type !== "k8s_cluster") throw new ConvertError("not a log of a Kubernetes cluster");
  if (!String(log["@type"] ?? "").endsWith("/google.cloud.audit.AuditLog")) throw new ConvertError("not an AuditLog");
  const audit = known(log, logKeys, "audit log");
  if (audit.serviceName !== "k8s.io") throw new ConvertError("not of the service k8s.io");
  if (!isMap(audit.authenticationInfo) || !isMap(audit.requestMetadata))
    throw new ConvertError("the audit log does not say who called");
  return audit;
};

const mapAt = (map: JsonMap, key: string): JsonMap => {
  const value = map[key];
  return isMap(value) ? value : {};
};

const receiveTime = (entry: JsonMap): { readonly text: string; readonly ns: string } => {
  const given = String(entry.receiveTimestamp ?? "1970-01-01T00:00:00Z");
  const instant = /T\d\d:\d\d:\d\d(\.\d{1,9})?[Z+-]/.test(given) ? parseTime(given) : undefined;
  if (instant === undefined) throw new ConvertError("receiveTimestamp is no time");
  const micros = String(instant.nanos).padStart(9, "0").slice(0, 6);
  return {
    text: `${new Date(instant.seconds * 1000).toISOString().slice(0, 19)}.${micros}Z`,
    ns: String(nanosOf(instant)),
  };
};

interface ObjectRef {
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly apiGroup?: string;
  readonly apiVersion?: string;
  readonly subresource?: string;
}

/** `group/version/[namespaces/NS/]resource/name[/subresource]`; three parts or fewer name no object. */
const objectRef = (resourceName: string): ObjectRef | undefined => {
  const parts = resourceName.split("/");
  if (parts.length < 4) return undefined;
  const [group, version, third, fourth] = parts;
  const namespaced = third === "namespaces" && parts.length >= 5;
  const ref = namespaced
    ? { resource: parts[4], namespace: fourth, name: parts[5] }
    : { resource: third, namespace: undefined, name: fourth };
  const all = { ...ref, apiGroup: group, apiVersion: version, subresource: namespaced ? parts[6] : parts[4] };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value));
};

/** With the keys of all objects in the order of their bytes. */
const sorted = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  const keys = Object.keys(value).sort(compareBytewise);
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key] as Json)]));
};
