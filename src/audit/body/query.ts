import type { JsonNode } from "../../json/node.ts";

/** The values of a query parameter of the event's URI; none where Go's `url.Parse` refuses the URI as a whole. */
export const queryValues = (root: JsonNode, name: string | Buffer): readonly string[] => {
  const uri = root.get("requestURI")?.asText();
  const query = uri === undefined ? undefined : queryOf(uri);
  return query === undefined ? [] : valuesOf(query, Buffer.from(name));
};

const badEscape = /%(?![0-9a-fA-F]{2})/;
const control = /[\0-\x1f\x7f]/;
const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*)?:/;

/** The raw query of a URL reference, or undefined where `url.Parse` fails. */
const queryOf = (uri: string): string | undefined => {
  if (control.test(uri)) return undefined;
  const hash = uri.indexOf("#");
  if (hash >= 0 && badEscape.test(uri.slice(hash))) return undefined;
  const whole = hash < 0 ? uri : uri.slice(0, hash);
  const named = scheme.exec(whole);
  if (named && named[1] === undefined) return undefined;
  const rest = named ? whole.slice(named[0].length) : whole;
  const mark = rest.indexOf("?");
  const before = mark < 0 ? rest : rest.slice(0, mark);
  const query = mark < 0 ? "" : rest.slice(mark + 1);
  if (!before.startsWith("/")) {
    if (named) return query;
    if (before.split("/", 1)[0]?.includes(":")) return undefined;
  }
  return (whole === "*" && !named) || plausible(before, named !== null) ? query : undefined;
};

/** True when authority (behind `//`) and path would be taken. */
const plausible = (rest: string, named: boolean): boolean => {
  if (!rest.startsWith("//") || (!named && rest.startsWith("///"))) return !badEscape.test(rest);
  const slash = rest.indexOf("/", 2);
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  return !(slash >= 0 && badEscape.test(rest.slice(slash))) && plausibleAuthority(authority);
};

const userinfo = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;

const plausibleAuthority = (authority: string): boolean => {
  const at = authority.lastIndexOf("@");
  const user = at < 0 ? "" : authority.slice(0, at);
  return userinfo.test(user) && !badEscape.test(user) && plausibleHost(authority.slice(at + 1));
};

// Only bytes above ASCII (and %25) may be percent-encoded in a host name.
const badHostEscape = /%(?!25|[89a-fA-F][0-9a-fA-F])/;
const badHostCharacter = /[ /?@\\^`{|}]/;

const plausibleHost = (host: string): boolean => {
  const close = host.lastIndexOf("]");
  if (host.startsWith("[")) {
    if (close < 0 || !/^(?::\d*)?$/.test(host.slice(close + 1))) return false;
    const zone = host.slice(0, close).indexOf("%25");
    const name = zone < 0 ? host : host.slice(0, zone);
    return !badHostEscape.test(name) && !badHostCharacter.test(name) && !badEscape.test(host);
  }
  const colon = host.lastIndexOf(":");
  if (colon >= 0 && !/^:\d*$/.test(host.slice(colon))) return false;
  return !badHostEscape.test(host) && !badHostCharacter.test(host);
};

/** The values of a key in their order; what is malformed is left out alone, as Go's `url.Query` does and API servers do. */
const valuesOf = (query: string, wanted: Buffer): readonly string[] => {
  const values: string[] = [];
  for (const part of query.split("&")) {
    if (part === "" || part.includes(";") || badEscape.test(part)) continue;
    const equal = part.indexOf("=");
    if (!unescapeQuery(equal < 0 ? part : part.slice(0, equal)).equals(wanted)) continue;
    values.push(equal < 0 ? "" : unescapeQuery(part.slice(equal + 1)).toString());
  }
  return values;
};

/** `+` is a blank, `%XX` a byte. */
const unescapeQuery = (text: string): Buffer => {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return Buffer.from(spaced);
  const parts = spaced.split("%");
  const bytes = parts.map((part, i) =>
    i === 0 ? Buffer.from(part) : Buffer.concat([Buffer.from(part.slice(0, 2), "hex"), Buffer.from(part.slice(2))]),
  );
  return Buffer.concat(bytes);
};
