import { hostname } from "node:os";

/** What alerts of the hub's own rules say of where they come from: FALCO_HOSTNAME, else the host's name. */
export const hostnameOf = (env: Readonly<Record<string, string | undefined>>): string =>
  env.FALCO_HOSTNAME || hostname();
