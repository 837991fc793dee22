import { type Config, configOf, type Fields, fieldMeta, severalUrls } from "../sdk/fields.ts";
import { blockOf } from "./block.ts";
import { globalFields } from "./globals.ts";
import { assemble } from "./hub.ts";
import type { HubConfig } from "./types.ts";

const mask = "***";

/** A text as it may be shown: of a URL the credentials and the values of its query are masked. */
export const redactText = (text: string): string => {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? URL.parse(text) : null;
  if (!url || (url.username === "" && url.password === "" && url.search === "")) return text;
  const user = url.username === "" && url.password === "" ? "" : `${mask}@`;
  const query = [...url.searchParams.keys()].map((key) => `${encodeURIComponent(key)}=${mask}`).join("&");
  return `${url.protocol}//${user}${url.host}${url.pathname}${query === "" ? "" : `?${query}`}`;
};

/** Of a secret that is a URL the scheme and host remain, of any other nothing. */
const redactSecret = (text: string): string => {
  if (text === "") return "";
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? URL.parse(text) : null;
  return url?.host ? `${url.protocol}//${url.host}/${mask}` : mask;
};

/** Parsed values of fields, fit to be shown. */
export const redactValues = <S extends Fields>(fields: S, values: Config<S>): Config<S> =>
  configOf(fields, (key, schema) => mapTexts(values[key], fieldMeta(schema).secret ? redactSecret : redactText));

const mapTexts = (value: unknown, change: (text: string) => string): unknown => {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, change)]));
};

/** The configuration as plain data that may be shown: no secret, no certificate text, no code. */
export const redact = (config: HubConfig): Readonly<Record<string, unknown>> => {
  const { outputs, sources, falco, proxy, queue } = config;
  const values = redactValues(globalFields, config.values);
  const {
    values: _values,
    knownSources: _known,
    ...shown
  } = assemble({
    ...config,
    values,
    redis: { ...blockOf(values, "queue.redis"), tls: queue.redis.tls },
    tlsserver: blockOf(values, "tlsserver"),
  });
  return {
    ...shown,
    proxy: mapTexts(proxy, redactText),
    falco: { ...falco, plugins: falco.plugins.map(({ name }) => name), loaded: falco.loaded.map(({ name }) => name) },
    outputs: outputs.map(({ id, output, config: values, match, delivery, transport }) => ({
      id,
      config: redactValues(output.fields, values),
      match,
      delivery: {
        ...delivery,
        maxconcurrentrequests: delivery.maxconcurrentrequests === Infinity ? 0 : delivery.maxconcurrentrequests,
      },
      checkcert: transport.checkcert,
      mutualtls: transport.mutualtls,
    })),
    sources: sources.map(({ id, source, config: values }) => ({ id, config: redactValues(source.fields, values) })),
  };
};

/** Shorter texts would mask half of a log. */
const shortest = 4;
const shortestPath = 8;

/** Every secret text of the configuration, and the parts of secret URLs, longest first: for loggers that mask them. */
export const secretsOf = (config: HubConfig): readonly string[] => {
  const found = new Set<string>();
  const keep = (text: string | undefined): void => {
    if (text && text.length >= shortest) found.add(text);
  };
  const take = (value: unknown): void => {
    if (typeof value === "object" && value !== null) for (const item of Object.values(value)) take(item);
    if (typeof value !== "string" || value === "") return;
    keep(value);
    for (const part of credentials(value)) keep(part);
    const url = URL.parse(value);
    if (!url?.host) return;
    if (url.pathname.length >= shortestPath) keep(url.pathname);
    if (url.search !== "") keep(url.search);
  };
  const takeFields = (fields: Fields, values: Readonly<Record<string, unknown>>): void => {
    for (const [key, schema] of Object.entries(fields)) {
      if (fieldMeta(schema).secret) take(values[key]);
      else for (const text of textsOf(values[key])) credentials(text).forEach(keep);
    }
  };
  for (const { output, config: values } of config.outputs) takeFields(output.fields, values);
  for (const { source, config: values } of config.sources) takeFields(source.fields, values);
  takeFields(globalFields, config.values);
  for (const proxy of [config.proxy.http, config.proxy.https]) credentials(proxy ?? "").forEach(keep);
  return [...found].sort((a, b) => b.length - a.length);
};

const textsOf = (value: unknown): string[] => {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
};

/** Passwords (as written and decoded) and values of the query of a URL, or of several with commas between them. */
const credentials = (text: string): string[] => {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return [];
  return severalUrls(text)
    .flatMap((url) => (url ? [url.password, decode(url.password), ...url.searchParams.values()] : []))
    .filter((part) => part !== "");
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
