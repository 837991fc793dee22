export type Environment = Readonly<Record<string, string | undefined>>;

/** The process environment: the only place that reads it. Proxy variables reach the HTTP client from here too. */
export const environment = (): Environment => process.env;

const first = (env: Environment, ...names: string[]): string | undefined => names.map((n) => env[n]).find(Boolean);

/** The usual proxy variables; the lower-case spelling wins, as in curl. */
export const proxyOf = (env: Environment): { http?: string; https?: string; no?: string } => {
  const http = first(env, "http_proxy", "HTTP_PROXY");
  const https = first(env, "https_proxy", "HTTPS_PROXY");
  const no = first(env, "no_proxy", "NO_PROXY");
  return { ...(http && { http }), ...(https && { https }), ...(no && { no }) };
};

/** `queue.redis.url` → `QUEUE_REDIS_URL`; an instance's name may hold dashes: `slack.team-a` → `SLACK_TEAM_A`. */
export const envName = (path: string): string => path.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");

/** Names that other programs read as well: a value that does not fit was meant for one of those. */
export const sharedNames: ReadonlySet<string> = new Set([
  "DEBUG",
  "ROLE",
  "LOG_LEVEL",
  "LOG_FORMAT",
  "QUEUE_DRIVER",
  "FILE_FORMAT",
]);

/** What Kubernetes sets for a service that bears an output's name (`LOGSTASH_PORT=tcp://10.0.0.7:5044`). */
export const isServiceLink = (name: string, value: string): boolean =>
  name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\/[^/]+:\d+$/.test(value);
