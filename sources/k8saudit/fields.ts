import { catalogOf, type FieldCatalog } from "../../src/sdk/catalog.ts";
import type { JsonEvent } from "../../src/sdk/json-event.ts";
import { containerFields } from "./fields/containers.ts";
import { eventFields } from "./fields/event.ts";
import { podFields } from "./fields/pod.ts";
import { podSpecFields } from "./fields/podspec.ts";
import { requestFields } from "./fields/request.ts";

/** The source that rules name. */
export const auditSource = "k8s_audit";

/** The fields of Kubernetes audit events (`ka.*`), as today's k8saudit plugin has them, and Eyrie's own beside them. */
export const auditFields: FieldCatalog<JsonEvent> = catalogOf(auditSource, [
  ...eventFields,
  ...requestFields,
  ...podFields,
  ...containerFields,
  ...podSpecFields,
]);
