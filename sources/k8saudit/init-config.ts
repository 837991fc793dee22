/** What `init_config` of the plugin may hold; keys in any case; others are ignored but for those that were to ask who sends. */
export interface InitConfig {
  readonly sslCertificate?: string;
  readonly useAsync?: boolean;
  readonly maxEventSize?: number;
  readonly webhookMaxBatchSize?: number;
  /** The first releases' limit of a body. */
  readonly maxEventBytes?: number;
}

const kinds = {
  sslCertificate: "string",
  useAsync: "boolean",
  maxEventSize: "number",
  webhookMaxBatchSize: "number",
  maxEventBytes: "number",
} as const;

/** `init_config` as text or as the map that YAML held; nothing at all is an empty one. Or why it cannot be used. */
export const readInitConfig = (value: unknown): InitConfig | { readonly fault: string } => {
  const map = typeof value === "string" ? parse(value) : (value ?? {});
  if (map === null) return {};
  if (typeof map !== "object" || Array.isArray(map)) return { fault: "init_config is no JSON object" };
  const found: Record<string, unknown> = {};
  for (const [key, held] of Object.entries(map)) {
    if (isOfDoor(key)) return { fault: `init_config has no ${key}: k8saudit.listen with it asks who sends` };
    const name = Object.keys(kinds).find((known) => known.toLowerCase() === key.toLowerCase());
    if (name === undefined || held === null) continue;
    const kind = kinds[name as keyof typeof kinds];
    const right = typeof held === kind && (kind !== "number" || (Number.isSafeInteger(held) && (held as number) >= 0));
    if (!right) return { fault: `init_config.${name} must be a ${kind === "number" ? "whole number" : kind}` };
    found[name] = held;
  }
  return found;
};

/** What the source takes beside `listen`. Ignored it would leave a door open that somebody meant to shut. */
const isOfDoor = (key: string): boolean => /^(?:bearer_?tokens?|client_?ca_?(?:file)?)(?:_?file)?$/i.test(key);

/** `fault` text where it is no JSON: an array, which is none of the shapes that are taken. */
const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
};
