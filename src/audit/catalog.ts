import { catalogOf, type FieldCatalog } from "../sdk/catalog.ts";
import type { JsonEvent } from "../sdk/json-event.ts";
import { requested, resulting } from "./fields/build.ts";
import { containerFields } from "./fields/containers.ts";
import { eventFields } from "./fields/event.ts";
import { objectFields } from "./fields/object.ts";
import { deprecatedPodFields, podFields } from "./fields/pod.ts";
import { podSpecFields } from "./fields/podspec.ts";
import { oddRequestFields, requestFields } from "./fields/request.ts";

/** The source that rules name. */
export const auditSource = "k8s_audit";

/** The fields of Kubernetes audit events (`ka.*`), as today's k8saudit plugin has them, and Eyrie's own beside them. */
export const auditFields: FieldCatalog<JsonEvent> = catalogOf(auditSource, [
  ...eventFields,
  ...[requested, resulting].flatMap((shown) => [
    ...requestFields(shown),
    ...podFields(shown),
    ...containerFields(shown),
  ]),
  ...oddRequestFields,
  ...deprecatedPodFields,
  ...podSpecFields,
  ...objectFields,
]);
