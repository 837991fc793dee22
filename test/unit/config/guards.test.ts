import assert from "node:assert/strict";
import { test } from "node:test";
import { outputs } from "../../../outputs/index.ts";
import { sources } from "../../../sources/index.ts";
import { globalFields } from "../../../src/config/globals.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { formatProblem } from "../../../src/config/problem.ts";
import { fieldMeta } from "../../../src/sdk/fields.ts";
import { makeAuthority } from "../../fakes/certificates.ts";
import { load } from "./fixture.ts";

const errorsOf = (given: {
  readonly yaml?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly overrides?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}): string[] => {
  const files: Record<string, string> = {
    ...given.files,
    ...(given.yaml !== undefined && { "eyrie.yaml": given.yaml }),
  };
  const { problems } = loadConfig({
    file: given.yaml === undefined ? undefined : "eyrie.yaml",
    env: given.env ?? {},
    overrides: given.overrides ?? [],
    outputs,
    sources,
    read: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return text;
    },
  });
  return problems.filter(({ severity }) => severity === "error").map(formatProblem);
};

const nothing = "is set and holds nothing, which would let everybody in; take it away for that";

test("a guard in the environment that yields no token stops the start, named, and shows nothing of what was set", () => {
  const item = "an item is not key:value and is left out";
  for (const [env, said] of [
    [{ AUTH_TOKENS: "tok-123" }, [`AUTH_TOKENS: ${item}`, `AUTH_TOKENS: ${nothing}`]],
    [{ AUTH_TOKENS: "a:" }, ["AUTH_TOKENS: a name has no token"]],
    [{ AUTH_TOKENS: "a: , b:secret-b" }, ["AUTH_TOKENS: a name has no token"]],
    [{ AUTH_TOKENS: "a:secret-a,tok-123" }, [`AUTH_TOKENS: ${item}`]],
    [{ AUTH_TOKENS: ":tok-123" }, [`AUTH_TOKENS: ${item}`, `AUTH_TOKENS: ${nothing}`]],
    [{ AUTH_TOKENS: '{"a":["tok-123"]}' }, [`AUTH_TOKENS: ${item}`, `AUTH_TOKENS: ${nothing}`]],
    [{ AUTH_TOKENS: "{}" }, [`AUTH_TOKENS: ${nothing}`]],
    [{ AUTH_TOKENS: "," }, [`AUTH_TOKENS: ${nothing}`]],
    [{ AUTH_TOKEN_URL: "https://login.example" }, []],
    [{ PROMETHEUS_TOKEN: "a b" }, ["PROMETHEUS_TOKEN: a bearer token has no blanks and no letters beyond ASCII"]],
    [{ OPERATORS_TOKEN_FILE: "/empty" }, ["OPERATORS_TOKEN_FILE: the file is empty: /empty"]],
    [{ AUTH_TOKENS: "" }, [`AUTH_TOKENS: ${nothing}`]],
    [{ AUTH_TOKEN: "" }, [`AUTH_TOKEN: ${nothing}`]],
    [{ AUTH_TOKEN: "  " }, ["AUTH_TOKEN: a bearer token has no blanks and no letters beyond ASCII"]],
    [{ AUTH_TOKEN: "tok 123" }, ["AUTH_TOKEN: a bearer token has no blanks and no letters beyond ASCII"]],
    [{ AUTH_TOKEN_FILE: "" }, [`AUTH_TOKEN_FILE: ${nothing}`]],
    [{ AUTH_TOKEN_FILE: "/none" }, ["AUTH_TOKEN_FILE: the file cannot be read (ENOENT): /none"]],
    [{ AUTH_TOKEN_FILE: "/empty" }, ["AUTH_TOKEN_FILE: the file is empty: /empty"]],
    [{ AUTH_TOKENS_FILE: "/blank" }, ["AUTH_TOKENS_FILE: the file is empty: /blank"]],
    [{ AUTHTOKEN: "tok-123" }, ["AUTHTOKEN: unknown variable, did you mean AUTH_TOKEN?"]],
    [{ auth_token: "tok-123" }, ["auth_token: unknown variable, did you mean AUTH_TOKEN?"]],
    [{ OPERATOR_TOKEN: "tok-123" }, ["OPERATOR_TOKEN: unknown variable, did you mean OPERATORS_TOKEN?"]],
    [{ OAUTH_TOKEN: "tok-123" }, []],
    [{ AUTH_TOKNE: "tok-123" }, ["AUTH_TOKNE: unknown variable, did you mean AUTH_TOKEN?"]],
    [
      { K8SAUDIT_LISTEN: "http://:0", K8SAUDIT_BEARERTOKNE: "x" },
      ["K8SAUDIT_BEARERTOKNE: unknown variable, did you mean K8SAUDIT_BEARERTOKEN?"],
    ],
    [{ K8SAUDIT_LISTEN: "http://:0", K8SAUDIT_BEARERTOKEN: "" }, [`K8SAUDIT_BEARERTOKEN: ${nothing}`]],
    [
      { K8SAUDIT_LISTEN: "http://:0", K8SAUDIT_BEARERTOKEN_FILE: "/blank" },
      ["K8SAUDIT_BEARERTOKEN_FILE: the file is empty: /blank"],
    ],
  ] as const) {
    const found = errorsOf({
      env: env as Readonly<Record<string, string>>,
      files: { "/empty": "", "/blank": " \n\t\n" },
    });
    assert.deepEqual(found, said, JSON.stringify(env));
    assert.ok(!found.some((line) => /tok-?.?123|secret/.test(line)));
  }
});

test("the same in the file, with its line; a variable that is empty does not undo a token of the file", () => {
  const blanks = "a bearer token has no blanks and no letters beyond ASCII";
  for (const [yaml, said] of [
    ["auth: {token: ''}", [`eyrie.yaml:1:15: auth.token: ${nothing}`]],
    ["auth:\n  token:\n", [`eyrie.yaml:2:9: auth.token: ${nothing}`]],
    ["auth: {token: ' '}", [`eyrie.yaml:1:15: auth.token: ${blanks}`]],
    ["auth: {tokens: {}}", [`eyrie.yaml:1:16: auth.tokens: ${nothing}`]],
    ["auth: {tokens: {a: }}", ["eyrie.yaml:1:16: auth.tokens: a name has no token"]],
    ["auth: {tokens: {a: x, b: ''}}", ["eyrie.yaml:1:16: auth.tokens: a name has no token"]],
    ["auth: {token_file: ''}", [`eyrie.yaml:1:20: auth.token: ${nothing}`]],
    ["auth: {tokne: x}", ["eyrie.yaml:1:8: auth.tokne: unknown key, did you mean auth.token?"]],
    ["auth: {bearer: x}", ["eyrie.yaml:1:8: auth.bearer: unknown key"]],
    ["authtoken: x", ["eyrie.yaml:1:1: authtoken: unknown key, did you mean auth.token?"]],
    [
      "k8saudit:\n  listen: http://:0\n  bearertoken_file: /blank\n",
      ["eyrie.yaml:3:21: k8saudit.bearertoken: the file is empty: /blank"],
    ],
    [
      "k8saudit:\n  - {listen: 'http://:0', bearertokens: {a: ''}}\n",
      ["eyrie.yaml:2:41: k8saudit[0].bearertokens: a name has no token"],
    ],
    ["k8saudit: {listen: 'http://:0', clientcafile: ''}\n", [`eyrie.yaml:1:47: k8saudit.clientcafile: ${nothing}`]],
    [
      "k8saudit: {listen: 'http://:0', clientcafile: /ca.pem}\n",
      ["eyrie.yaml:1:47: k8saudit.clientcafile: only https:// asks clients for a certificate"],
    ],
    [
      "tlsserver: {mutualtls: true}",
      ["eyrie.yaml:1:24: tlsserver.mutualtls: asks nobody for a certificate without tlsserver.deploy"],
    ],
  ] as const)
    assert.deepEqual(errorsOf({ yaml, files: { "/blank": "\n" } }), said, yaml);
  assert.deepEqual(errorsOf({ overrides: ["auth.token="] }), [`auth.token: ${nothing}`]);
  const { config, said } = load({ yaml: "auth: {token: x}", env: { AUTH_TOKEN: "" } });
  assert.deepEqual([config.auth.token, said], ["x", []]);
});

test("a server's authority file that holds no certificate stops the start", () => {
  const { cert, key } = makeAuthority().server();
  const yaml = "tlsserver: {deploy: true, mutualtls: true, certfile: /c, keyfile: /k, cacertfile: /ca}\n";
  assert.deepEqual(errorsOf({ yaml, files: { "/c": cert, "/k": key, "/ca": key } }), [
    "eyrie.yaml:1:83: tlsserver.cacertfile: the file holds no certificate",
  ]);
  assert.deepEqual(errorsOf({ yaml, files: { "/c": cert, "/k": key, "/ca": "" } }), [
    "eyrie.yaml:1:83: tlsserver.cacertfile: not a PEM file: /ca",
  ]);
});

test("an empty secret file switches an output off by a named fault, never in silence", () => {
  const { said } = load({ env: { WEBHOOK_ADDRESS_FILE: "/empty" }, files: { "/empty": "\n" } });
  assert.deepEqual(said, ["warning WEBHOOK_ADDRESS_FILE: the file is empty: /empty; the output webhook is off"]);
});

test("every bearer token that a door asks for is declared as a guard", () => {
  const all = [...Object.entries(globalFields), ...sources.flatMap((s) => Object.entries(s.fields))];
  const doors = all.filter(([key, schema]) => /token/.test(key) && fieldMeta(schema).secret);
  assert.ok(doors.length >= 4);
  for (const [key, schema] of doors) assert.ok(fieldMeta(schema).guard, key);
});
