import { readFileSync } from "node:fs";
import { blockOf } from "../config/block.ts";
import { type Globals, globalFields } from "../config/globals.ts";
import { rereadSecrets } from "../config/settings.ts";
import type { HubConfig } from "../config/types.ts";
import { configOf, type Fields } from "../sdk/fields.ts";
import { type CredentialParts, followCredentials } from "./credentials.ts";
import type { DoorTokens } from "./server.ts";

/**
 * Calls `changed` with the values of secrets that were read again, each time one of their files changed and can be used. One that
 * cannot be used holds up no other.
 */
export const followSecrets = (
  fields: Fields,
  files: Readonly<Record<string, string>>,
  parts: CredentialParts,
  changed: (values: Readonly<Record<string, unknown>>) => void,
): { close(): void } => {
  let values: Readonly<Record<string, unknown>> = {};
  const following = Object.entries(files).map(([key, path]) =>
    followCredentials([path], key, parts, () => {
      values = { ...values, ...rereadSecrets(fields, { [key]: path }, (name) => readFileSync(name, "utf8")) };
      changed(values);
    }),
  );
  return {
    close: () => {
      for (const one of following) one.close();
    },
  };
};

export interface HubTokens extends DoorTokens {
  readonly operators: string;
}

/** What the hub's own doors ask for. */
export const tokensOf = (values: Globals): HubTokens => ({
  alerts: blockOf(values, "auth"),
  metrics: { token: values["prometheus.token"], tokens: {} },
  operators: values["operators.token"] || values["auth.token"],
});

/** The tokens of the hub's own doors, as their files change. */
export const followTokens = (
  { values, secretFiles }: HubConfig,
  parts: CredentialParts,
  changed: (tokens: HubTokens) => void,
): { close(): void } => {
  const before: Readonly<Record<string, unknown>> = values;
  const files = Object.fromEntries(Object.entries(secretFiles).filter(([key]) => /\.tokens?$/.test(key)));
  return followSecrets(globalFields, files, parts, (read) =>
    changed(tokensOf(configOf(globalFields, (key) => read[key] ?? before[key]))),
  );
};
