/** Bodies of about `n` characters, named for what they are to break. */
export type Grow = (n: number) => string;

const fill = (unit: string, n: number): string => unit.repeat(Math.max(1, Math.ceil(n / unit.length)));
const join = (n: number, size: number, each: (i: number) => string): string =>
  Array.from({ length: Math.ceil(n / size) }, (_, i) => each(i)).join(",");

/** Texts that are JSON or nearly so, whatever is expected of them. */
const texts: Readonly<Record<string, Grow>> = {
  "small numbers": (n) => fill("1 ", n),
  "small objects": (n) => fill("{}", n),
  "small objects and blanks": (n) => fill("{} ", n),
  "broken lines": (n) => fill('{"a\n', n),
  "opened objects, one a line": (n) => fill("{\n", n),
  "opened lists, one a line": (n) => fill("[\n", n),
  "lines that are no JSON": (n) => fill("x\n", n),
  "values over lines": (n) => fill('{"rule":\n"r"}\n', n),
  "values that end in the middle of a line": (n) => fill('{"a":\n1} ', n),
  "nothing but openers": (n) => fill("[", n),
  "nothing but objects in objects": (n) => fill('{"a":', n),
  "lists of lists": (n) => `[${fill("[[]],", n)}[]]`,
  "lists two hundred deep": (n) => `[${fill(`${"[".repeat(200)}${"]".repeat(200)},`, n)}1]`,
  "a wide list two hundred deep": (n) => `${"[".repeat(200)}${fill("{},", n)}1${"]".repeat(200)}`,
  "a string without an end": (n) => `["${fill('\\"', n)}`,
  "a string of backslashes without an end": (n) => `["${fill("\\\\", n)}`,
  "a number without an end": (n) => fill("9", n),
  "blanks in front": (n) => `${fill(" ", n)}1`,
  "a late blank": (n) => `[${fill("1,", n)}1 ]`,
  "a byte order mark": (n) => `\ufeff${fill("{}", n)}`,
  "NUL and nothing else": (n) => fill("\0", n),
  "commas and colons outside of all": (n) => fill(":1.5,", n),
};

/** JSON values, to be put where the sender may put any. */
const values: Readonly<Record<string, Grow>> = {
  "empty lists": (n) => `[${fill("[],", n)}1]`,
  "empty objects": (n) => `[${fill("{},", n)}1]`,
  "objects of one key": (n) => `[${fill('{"a":1},', n)}1]`,
  "objects of ever other keys": (n) => `[${join(n, 14, (i) => `{"k${i}":1}`)}]`,
  "many keys": (n) => `{${join(n, 12, (i) => `"k${i}":1`)}}`,
  "many keys in disorder": (n) => `{${join(n, 18, (i) => `"k${(i * 7919) % 100_003}_${i}":1`)}}`,
  "keys that are numbers far apart": (n) => `{${join(n, 14, (i) => `"${i * 65_536}":1`)}}`,
  "equal keys": (n) => `{${fill('"a":1,', n)}"a":1}`,
  "equal keys with escapes": (n) => `{${fill('"\\u0061":1,', n)}"b":1}`,
  "short fractions": (n) => `[${fill("1.50,", n)}1]`,
  "one long number": (n) => fill("9", n),
  "one long fraction": (n) => `0.${fill("9", n)}`,
  "one long exponent": (n) => `1e${fill("9", n)}`,
  "one long string": (n) => `"${fill("x", n)}"`,
  "a string of line feeds": (n) => `"${fill("\\n", n)}"`,
  "a string of quotes": (n) => `"${fill('\\"', n)}"`,
  "a string of backslashes": (n) => `"${fill("\\\\", n)}"`,
  "a string of half characters": (n) => `"${fill("\\ud800", n)}"`,
  "a string of what looks like marks": (n) => `["${join(n, 12, (i) => `\\u0000${i};`)}",1.50]`,
  "a string of what looks like numbers": (n) => `["${fill(":1.5,", n)}",1.5]`,
  "characters of four bytes": (n) => `"${fill("😀", n / 2)}"`,
  "blanks between tokens": (n) => `[1${fill(" ", n)},1]`,
};

const wrapped = (wrap: (value: string) => string, only: Readonly<Record<string, Grow>>): Record<string, Grow> =>
  Object.fromEntries(Object.entries(only).map(([name, make]) => [name, (n: number) => wrap(make(n))]));

const alert = (more: string): string =>
  `{"rule":"r","priority":"Warning","time":"2025-01-15T10:20:30Z","output":"10:20:30.1: Warning o",${more}}`;
const event = (more: string): string =>
  `{"kind":"Event","auditID":"x","stage":"ResponseComplete","verb":"create","stageTimestamp":"2025-01-15T10:20:30.123456Z",${more}}`;

/** What senders mean to send, `n` characters of it. */
export const soundAlerts: Grow = (n) => fill(`${alert('"output_fields":{"a":1.50}')}\n`, n);
export const soundEvents: Grow = (n) =>
  `{"kind":"EventList","items":[${fill(`${event('"level":"Metadata"')},`, n)}${event('"a":1')}]}`;

/** For the port of alerts. */
export const growingAlertBodies: Readonly<Record<string, Grow>> = {
  ...texts,
  ...wrapped((value) => alert(`"output_fields":{"a":${value}}`), values),
  "alerts, one a line": soundAlerts,
  "two alerts a line": (n) => fill(`${alert('"x":1')} ${alert('"x":1')}\n`, n),
  "a list of alerts": (n) => `[${fill(`${alert('"tags":["b","a"]')},`, n)}1]`,
  "a list of numbers": (n) => `[${fill("1,", n)}1]`,
  "fields in disorder": (n) => alert(`"output_fields":{${join(n, 18, (i) => `"k${(i * 7919) % 9973}_${i}":1`)}}`),
  "keys that mean nothing": (n) => alert(join(n, 12, (i) => `"k${i}":1`)),
  "tags in disorder": (n) => alert(`"tags":[${fill('"b","a",', n)}"c"]`),
  "a time of many digits": (n) =>
    alert("")
      .replace("30Z", `30.${fill("1", n)}Z`)
      .replace(",}", "}"),
  "an output of blanks": (n) =>
    alert("")
      .replace("Warning o", `Warning ${fill(" ", n)}`)
      .replace(",}", "}"),
};

/** For the port of audit events. */
export const growingAuditBodies: Readonly<Record<string, Grow>> = {
  ...texts,
  ...wrapped((value) => event(`"requestObject":${value}`), values),
  ...Object.fromEntries(Object.entries(growingEvents()).map(([name, make]) => [name, (n: number) => make(n)])),
  "a list of events": soundEvents,
  "lists of events in a list": (n) => `[${fill('{"kind":"EventList","items":[{}]},', n)}1]`,
  "deep lists of events in a list": (n) => `[${fill('{"kind":"EventList","items":[[[[[[]]]]]]},', n)}1]`,
  "members that mean nothing": (n) => event(`${fill('"a":1,', n)}"b":1`),
  "members with escapes": (n) => event(`${fill('"\\u0061":1,', n)}"b":1`),
  "a kind that is written with escapes": (n) =>
    event(`${fill('"\\u0061":1,', n)}"b":1`).replace('"kind"', '"\\u006bind"'),
  "a time of many digits": (n) => event('"a":1').replace("123456Z", `${fill("1", n)}Z`),
};

/** Single audit events of about `n` characters with much of what rules look at. */
export function growingEvents(): Readonly<Record<string, Grow>> {
  const pod = (spec: string): string =>
    event(`"objectRef":{"resource":"pods"},"requestObject":{"metadata":{"name":"x"},"spec":{${spec}}}`);
  const patch = (operations: string): string =>
    event(
      `"objectRef":{"resource":"pods"},"requestObject":[{"op":"add","path":"/a0","value":{"x":1}},${operations.replace(/,$/, "")}]`,
    ).replace('"create"', '"patch"');
  const role = (rules: string): string =>
    event(`"objectRef":{"resource":"clusterroles"},"requestObject":{"rules":[${rules}],"subjects":[${rules}]}`);
  return {
    "many containers": (n) => pod(`"containers":[${fill('{"image":"a.b/c/d:e@f"},', n)}{}]`),
    "containers with many ports": (n) =>
      pod(`"containers":[${fill('{"image":"i","ports":[{"containerPort":1,"hostPort":2}]},', n)}{}]`),
    "one container with many capabilities": (n) =>
      pod(`"containers":[{"securityContext":{"capabilities":{"add":[${fill('"SYS_ADMIN",', n)}"X"]}}}]`),
    "one image of slashes": (n) => pod(`"containers":[{"image":"${fill("a/", n)}"}]`),
    "one image of colons": (n) => pod(`"containers":[{"image":"${fill(":@", n)}"}]`),
    "many volumes": (n) => pod(`"volumes":[${fill('{"hostPath":{"path":"/a"}},', n)}{}]`),
    "one path of slashes": (n) => pod(`"volumes":[{"hostPath":{"path":"${fill("/a", n)}"}}]`),
    "many rules of a role": (n) => role(`${fill('{"verbs":["get"],"resources":["pods"],"apiGroups":[""]},', n)}{}`),
    "one rule with many verbs": (n) => role(`{"verbs":[${fill('"get",', n)}"x"],"resources":[${fill('"a",', n)}"x"]}`),
    "many subjects": (n) => role(`${fill('{"kind":"User","name":"a","namespace":"b"},', n)}{}`),
    "many groups": (n) => event(`"user":{"username":"u","groups":[${fill('"g",', n)}"h"]}`),
    "many addresses": (n) => event(`"sourceIPs":[${fill('"10.0.0.1",', n)}"::1"]`),
    "a query of many commands": (n) => event(`"requestURI":"/x?${fill("command=a&", n)}"`),
    "a URI of percent signs": (n) => event(`"requestURI":"/x?${fill("%61%", n)}"`),
    "a user agent of one letter": (n) => event(`"userAgent":"${fill("a", n)}","user":{"username":"${fill("a", n)}"}`),
    "a name that nearly fits": (n) => event(`"objectRef":{"name":"${fill("ab", n)}","namespace":"${fill("a/", n)}"}`),
    "a patch of many operations": (n) => patch(join(n, 44, (i) => `{"op":"add","path":"/spec/a${i}","value":{}}`)),
    "a patch that appends": (n) => patch(fill('{"op":"add","path":"/spec/containers/-","value":{"image":"a"}},', n)),
    "a patch of copies of copies": (n) =>
      patch(
        join(n, 84, (i) => ["l", "r"].map((at) => `{"op":"copy","from":"/a${i}","path":"/a${i + 1}/${at}"}`).join()),
      ),
    "a patch that moves ever deeper": (n) =>
      patch(
        join(
          n,
          300,
          () => `{"op":"move","from":"/a0","path":"/b${"/c".repeat(90)}"},{"op":"move","from":"/b","path":"/a0"}`,
        ),
      ),
    "a patch of paths of slashes": (n) =>
      patch(join(n, 240, () => `{"op":"add","path":"${"/a".repeat(99)}","value":1}`)),
    "annotations without end": (n) => event(`"annotations":{${join(n, 12, (i) => `"k${i}":"v"`)}}`),
  };
}
