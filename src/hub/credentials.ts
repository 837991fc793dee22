import { readFileSync } from "node:fs";
import { globalFields } from "../config/globals.ts";
import { rereadSecrets } from "../config/settings.ts";
import type { HubConfig } from "../config/types.ts";
import { type CredentialParts, followCredentials } from "../http/credentials.ts";
import type { DoorTokens } from "../http/server.ts";
import type { Fields } from "../sdk/fields.ts";

/** Calls `changed` with the values of secrets each time their files changed and can be used. */
export const followSecrets = (
  fields: Fields,
  files: Readonly<Record<string, string>>,
  what: string,
  parts: CredentialParts,
  changed: (values: Readonly<Record<string, unknown>>) => void,
): { close(): void } =>
  followCredentials(Object.values(files), what, parts, () =>
    changed(rereadSecrets(fields, files, (path) => readFileSync(path, "utf8"))),
  );

export interface HubTokens extends DoorTokens {
  readonly operators: string;
}

/** What the hub's own doors ask for. */
export const tokensOf = ({
  auth,
  metrics,
  operators,
}: Pick<HubConfig, "auth" | "metrics" | "operators">): HubTokens => ({
  alerts: auth,
  metrics: { token: metrics.token, tokens: {} },
  operators: operators.token || auth.token,
});

/** The tokens of the hub's own doors, as their files change. */
export const followTokens = (
  config: HubConfig,
  parts: CredentialParts,
  changed: (tokens: HubTokens) => void,
): { close(): void } => {
  const files = Object.fromEntries(Object.entries(config.secretFiles).filter(([key]) => /\.tokens?$/.test(key)));
  return followSecrets(globalFields, files, "a token", parts, (values) => {
    const text = (key: string, before: string): string => (values[key] as string | undefined) ?? before;
    changed(
      tokensOf({
        auth: {
          token: text("auth.token", config.auth.token),
          tokens: (values["auth.tokens"] as Record<string, string> | undefined) ?? config.auth.tokens,
        },
        metrics: { ...config.metrics, token: text("prometheus.token", config.metrics.token) },
        operators: { token: text("operators.token", config.operators.token) },
      }),
    );
  });
};
