/**
 * What the API server should audit for the default rules to see what they ask for: requests for what can run code, grant
 * rights or open doors, with what came of them, and never the content of Secrets or a token. What people do is left out only where it reads discovery.
 */
export const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
# Every request would come twice. ResponseStarted must stay: sessions, watches and failed logins are told there.
omitStages:
  - RequestReceived
# Who wrote which field when: half of an answer's size, and no rule asks.
omitManagedFields: true
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
  # Events come by the thousand; that somebody takes them away is news.
  - level: Metadata
    verbs: ["delete", "deletecollection"]
    resources:
      - group: ""
        resources: ["events"]
      - group: events.k8s.io
        resources: ["events"]
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
        resources: ["secrets", "pods/log", "pods/status", "nodes/status"]
      - group: authentication.k8s.io
        resources: ["tokenreviews"]

  # What a token is for. The token itself stands in the answer, which this level leaves out.
  - level: Request
    resources:
      - group: ""
        resources: ["serviceaccounts/token"]

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
        resources:
          - pods
          - pods/binding
          - pods/ephemeralcontainers
          - pods/eviction
          - bindings
          - namespaces
          - namespaces/finalize
          - namespaces/status
          - persistentvolumes
          - podtemplates
          - replicationcontrollers
          - replicationcontrollers/scale
          - serviceaccounts
          - services
          - services/status
      - group: apps
        resources:
          - daemonsets
          - deployments
          - deployments/scale
          - replicasets
          - replicasets/scale
          - statefulsets
          - statefulsets/scale
      - group: apps.openshift.io
        resources: ["deploymentconfigs", "deploymentconfigs/scale"]
      - group: argoproj.io
        resources: ["rollouts", "rollouts/scale"]
      - group: batch
        resources: ["jobs", "cronjobs"]
      - group: rbac.authorization.k8s.io
        resources: ["roles", "rolebindings", "clusterroles", "clusterrolebindings"]
      - group: networking.k8s.io
        resources: ["ingresses", "networkpolicies"]
      # What changes the cluster's own rules: of a patch, only the answer tells what came of it.
      - group: admissionregistration.k8s.io
      - group: apiregistration.k8s.io
      - group: certificates.k8s.io

  # Configuration that may hold credentials, and what is big.
  - level: Request
    resources:
      - group: ""
        resources: ["configmaps", "nodes"]
      - group: apiextensions.k8s.io

  # Everything else.
  - level: Metadata
`;
