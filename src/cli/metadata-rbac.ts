import { nodes, type Resource, resources } from "../pipeline/enrich/kubernetes/resources.ts";
import { UsageError } from "./command.ts";

export interface RbacChoice {
  readonly namespace: string;
  readonly account: string;
  /** Beside collectors only the nodes are asked for. */
  readonly nodesOnly: boolean;
}

/** What the hub's service account must be allowed to, for `kubectl apply`. Throws UsageError when a name is none that Kubernetes takes. */
export const rbacYaml = ({ namespace, account, nodesOnly }: RbacChoice): string => {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace))
    throw new UsageError("-n is not the name of a namespace");
  if (!/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(account))
    throw new UsageError("--service-account is not the name of a service account");
  return `apiVersion: v1
kind: ServiceAccount
metadata: { name: "${account}", namespace: "${namespace}" }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: eyrie-metadata }
rules:
${rulesOf(nodesOnly ? [nodes] : resources)}---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: eyrie-metadata }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: eyrie-metadata }
subjects:
  - { kind: ServiceAccount, name: "${account}", namespace: "${namespace}" }
`;
};

const rulesOf = (asked: readonly Resource[]): string =>
  Map.groupBy(asked, ({ apiGroup }) => apiGroup)
    .entries()
    .map(
      ([group, of]) => `  - apiGroups: [${group === "" ? '""' : group}]
    resources: [${of.map(({ name }) => name).join(", ")}]
    verbs: [list, watch]
`,
    )
    .toArray()
    .join("");
