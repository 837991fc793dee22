import { elements } from "../body/steps.ts";
import { arrayAt, indexed, type KaField, list, listOf, nodeAt, path, text, textOf } from "./build.ts";
import { uriParam } from "./uri.ts";

/** Who asked for what, and what came of it: the fields that every audit event may have. */
export const eventFields: readonly KaField[] = [
  path("ka.auditid", "Id of the audited request; a client may choose it.", "auditID"),
  path("ka.stage", "Stage of the request, such as ResponseComplete.", "stage"),
  path("ka.auth.decision", "Decision of the authorizer.", "annotations", "authorization.k8s.io/decision"),
  path("ka.auth.reason", "Reason of the authorizer.", "annotations", "authorization.k8s.io/reason"),
  path(
    "ka.auth.openshift.decision",
    "Decision of OpenShift's authentication.",
    "annotations",
    "authentication.openshift.io/decision",
  ),
  path(
    "ka.auth.openshift.username",
    "User name that OpenShift's authentication saw.",
    "annotations",
    "authentication.openshift.io/username",
  ),
  path(
    "ka.validations.admission.policy.failure",
    "Failures of validating admission policies, as JSON text.",
    "annotations",
    "validation.policy.admission.k8s.io/validation_failure",
  ),
  path(
    "ka.security.pod.violations",
    "Violations that Pod Security admission audited.",
    "annotations",
    "pod-security.kubernetes.io/audit-violations",
  ),
  path("ka.user.name", "User who made the request.", "user", "username"),
  arrayAt("ka.user.groups", "Groups of the user.", "user", "groups"),
  text("ka.impuser.as", "For output texts: the impersonated user behind ` as=`; empty when there is none.", (root) => {
    const name = nodeAt(root, ["impersonatedUser", "username"]);
    return name ? ` as=${textOf(name)}` : "";
  }),
  path("ka.impuser.name", "User whom the request impersonates.", "impersonatedUser", "username"),
  arrayAt(
    "ka.impuser.groups",
    "Groups that the request impersonates, or that the impersonated user is in.",
    "impersonatedUser",
    "groups",
  ),
  arrayAt(
    "ka.user.credential",
    "Ids of the credential that the user logged in with, a certificate's hash or a token's id.",
    "user",
    "extra",
    "authentication.kubernetes.io/credential-id",
  ),
  path("ka.verb", "What is done: get, list, create, update, patch, delete, ….", "verb"),
  path("ka.uri", "URI of the request, as the client sent it.", "requestURI"),
  uriParam,
  path("ka.target.name", "Name of the target object.", "objectRef", "name"),
  path("ka.target.namespace", "Namespace of the target object.", "objectRef", "namespace"),
  path("ka.target.resource", "Resource of the target object, such as pods.", "objectRef", "resource"),
  path("ka.target.subresource", "Subresource of the target object, such as exec.", "objectRef", "subresource"),
  text("ka.target.pod.name", "Name of the pod that the server created or changed.", (root) => {
    const ref = root.get("objectRef");
    const resource = ref?.get("resource");
    if (resource?.kind !== "string" || resource.asText() !== "pods") return undefined;
    const sub = ref?.get("subresource");
    if (sub?.kind === "string" && sub.asText() !== "") return undefined;
    const name = nodeAt(root, ["responseObject", "metadata", "name"]);
    return name && textOf(name);
  }),
  path("ka.resp.name", "Name of the object in the response.", "responseObject", "metadata", "name"),
  path("ka.response.code", "Status code of the response, as text.", "responseStatus", "code"),
  path("ka.response.reason", "Reason of the response.", "responseStatus", "reason"),
  path("ka.useragent", "User agent of the client.", "userAgent"),
  indexed("ka.sourceips", "Addresses the request came through; the last is the server's own peer.", (root, index) => {
    const ips = root.get("sourceIPs");
    if (ips?.kind !== "array") return undefined;
    const one = index === undefined ? undefined : ips.at(index);
    return listOf((index === undefined ? elements(ips) : one ? [one] : []).map(textOf));
  }),
  text("ka.cluster.name", "Name of the cluster: the event's annotation, else the listener's.", (root, event) => {
    const name = nodeAt(root, ["annotations", "cluster_name"]);
    return name ? textOf(name) : event.cluster;
  }),
  list(
    "ka.sourceips.peer",
    "Address of the peer that the API server itself saw, which no header can forge.",
    (root) => {
      const ips = root.get("sourceIPs");
      const last = ips?.kind === "array" ? ips.at(ips.size - 1) : undefined;
      return last && [textOf(last)];
    },
  ),
];
