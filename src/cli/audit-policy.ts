/**
 * What the API server should audit for the default rules to see what they ask for: request bodies of what can run code,
 * grant rights or open doors, and never the content of Secrets. What people do is left out only where it reads discovery.
 */
export const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
# Every request would come twice.
omitStages:
  - RequestReceived
rules:
  # The control plane's own heartbeat: most of the volume, none of the news.
  - level: None
    users: ["system:kube-proxy"]
    verbs: ["watch"]
    resources:
      - group: ""
        resources: ["endpoints", "services", "services/status"]
      - group: discovery.k8s.io
        resources: ["endpointslices"]
  - level: None
    userGroups: ["system:nodes"]
    verbs: ["get", "update", "patch"]
    resources:
      - group: coordination.k8s.io
        resources: ["leases"]
      - group: ""
        resources: ["nodes/status", "pods/status"]
  - level: None
    users:
      - system:kube-controller-manager
      - system:kube-scheduler
      - system:apiserver
    verbs: ["get", "update", "patch"]
    resources:
      - group: coordination.k8s.io
        resources: ["leases"]
  - level: None
    resources:
      - group: ""
        resources: ["events"]
      - group: events.k8s.io
        resources: ["events"]
  - level: None
    userGroups: ["system:authenticated"]
    verbs: ["get"]
    nonResourceURLs: ["/api*", "/openapi*", "/version", "/healthz*", "/livez*", "/readyz*"]

  # Who touched them, never what is in them.
  - level: Metadata
    resources:
      - group: ""
        resources: ["secrets", "serviceaccounts/token", "pods/log", "pods/status", "nodes/status"]
      - group: authentication.k8s.io
        resources: ["tokenreviews"]

  # Ways into a running container: the command is in the URI.
  - level: Request
    resources:
      - group: ""
        resources: ["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy", "nodes/proxy"]

  # Reading is told without bodies.
  - level: Metadata
    verbs: ["get", "list", "watch"]

  # What runs, and who may do what: request and response.
  - level: RequestResponse
    resources:
      - group: ""
        resources: ["pods", "pods/ephemeralcontainers", "replicationcontrollers", "services", "serviceaccounts", "namespaces"]
      - group: apps
        resources: ["deployments", "daemonsets", "statefulsets", "replicasets"]
      - group: batch
        resources: ["jobs", "cronjobs"]
      - group: rbac.authorization.k8s.io
        resources: ["roles", "rolebindings", "clusterroles", "clusterrolebindings"]
      - group: networking.k8s.io
        resources: ["ingresses", "networkpolicies"]

  # Configuration that may hold credentials, and what changes the cluster's own rules.
  - level: Request
    resources:
      - group: ""
        resources: ["configmaps", "nodes", "persistentvolumes"]
      - group: admissionregistration.k8s.io
      - group: certificates.k8s.io
      - group: apiregistration.k8s.io
      - group: apiextensions.k8s.io

  # Everything else.
  - level: Metadata
`;
