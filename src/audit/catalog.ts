import { join } from "node:path";
import { catalogOf } from "../sdk/catalog.ts";
import type { EventCatalog } from "../sdk/event-catalog.ts";
import type { JsonEvent } from "../sdk/json-event.ts";
import { rememberAuthor } from "./body/authors.ts";
import { requested, resulting } from "./fields/build.ts";
import { containerFields } from "./fields/containers.ts";
import { eventFields } from "./fields/event.ts";
import { objectFields } from "./fields/object.ts";
import { deprecatedPodFields, podFields } from "./fields/pod.ts";
import { podSpecFields } from "./fields/podspec.ts";
import { oddRequestFields, requestFields } from "./fields/request.ts";
import { auditSource, splitPayload } from "./payload.ts";
import { refersTo } from "./refers.ts";

const fields = catalogOf<JsonEvent>(auditSource, [
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

/** Kubernetes audit events: the fields of Falco's plugins for them (`ka.*`), and Eyrie's own beside them. */
export const auditFields: EventCatalog = {
  ...fields,
  split: splitPayload,
  seen: rememberAuthor,
  refers: refersTo,
  rules: join(import.meta.dirname, "../../rules/k8s_audit_rules.yaml"),
  blank: {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    // Events without one have no values.
    auditID: "test",
    stage: "ResponseComplete",
    stageTimestamp: "2024-01-01T00:00:00.000000Z",
  },
};
