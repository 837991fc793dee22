import assert from "node:assert/strict";
import { test } from "node:test";
import { stringify } from "yaml";
import type { z } from "zod";
import { outputs } from "../../../outputs/index.ts";
import { sources } from "../../../sources/index.ts";
import { describeConfig } from "../../../src/config/describe.ts";
import { envName } from "../../../src/config/environment.ts";
import { globalFields } from "../../../src/config/globals.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { formatProblem } from "../../../src/config/problem.ts";
import { redact, secretsOf } from "../../../src/config/redact.ts";
import { createLogger } from "../../../src/log/log.ts";
import { type Fields, fieldMeta } from "../../../src/sdk/fields.ts";

const canary = "CANARY7c1e";

interface Owner {
  /** Empty: the hub itself. */
  readonly name: string;
  readonly fields: Fields;
  readonly example: Readonly<Record<string, unknown>>;
}
const owners: readonly Owner[] = [...outputs, ...sources, { name: "", fields: globalFields, example: {} }];

/** Every field that is declared a secret, with the table that it stands in. */
const secrets = owners.flatMap((owner) =>
  Object.entries(owner.fields).flatMap(([key, schema]) => (fieldMeta(schema).secret ? [{ owner, key, schema }] : [])),
);

const pathOf = ({ name }: Owner, key: string): string => (name === "" ? key : `${name}.${key}`);

/** A secret as its field takes it: text, a URL with all that may be secret in one, or a map. */
const planted = (schema: z.ZodType): { readonly value: unknown; readonly text: string } => {
  const { schemes, pairs } = fieldMeta(schema);
  const url = `${schemes?.[0]}://${canary}user:${canary}%25pass@127.0.0.1:9/${canary}path?key=${canary}query`;
  const text = schemes ? url : pairs ? `x-name:${canary}` : canary;
  return { value: pairs ? { "x-name": canary } : text, text };
};

const put = (tree: Record<string, unknown>, path: string, value: unknown): Record<string, unknown> => {
  const [first = "", ...rest] = path.split(".");
  const inner = (tree[first] ?? {}) as Record<string, unknown>;
  return { ...tree, [first]: rest.length > 0 ? put(inner, rest.join("."), value) : value };
};

const without = (tree: Record<string, unknown>, path: string): Record<string, unknown> => put(tree, path, undefined);

const exampleOf = (owner: Owner): Record<string, unknown> =>
  Object.entries(owner.example).reduce((tree, [key, value]) => put(tree, pathOf(owner, key), value), {});

interface Given {
  readonly yaml: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly overrides?: readonly string[];
}

/** All that is said and shown of a configuration: problems, check-config in both forms, and a log line that quotes `told`. */
const shownOf = (owner: Owner, given: Given, told: string): string => {
  const { config, problems } = loadConfig({
    file: "eyrie.yaml",
    env: given.env ?? {},
    overrides: given.overrides ?? [],
    outputs: outputs.filter(({ name }) => name === owner.name),
    sources: sources.filter(({ name }) => name === owner.name),
    read: (path) => {
      if (path === "eyrie.yaml") return given.yaml;
      if (path === "/run/secret") return `${told}\n`;
      throw Object.assign(new Error("no such file"), { code: "ENOENT" });
    },
  });
  const parts = [...problems.map(formatProblem), describeConfig(config, problems), JSON.stringify(redact(config))];
  const used = config.outputs.length + config.sources.length > 0 || owner.name === "";
  const log = createLogger(
    { format: "json", level: "trace", secrets: secretsOf(config) },
    { write: (line) => parts.push(line) },
  );
  if (used) {
    log.error({ err: new Error(`answered: ${told}`) }, `cannot be reached: ${told}`);
    if (URL.canParse(told))
      log.error(`refused the password ${new URL(told).password} and ${canary}query at ${new URL(told).pathname}`);
  }
  for (const { off, key } of problems) if (off) log.error({ key, ...off }, "off");
  return parts.join("\n");
};

const assertHidden = (shown: string, what: string): void => {
  const bare = shown.replaceAll(`${canary}user`, "");
  const at = bare.indexOf(canary);
  assert.equal(at, -1, `${what}: …${bare.slice(Math.max(0, at - 200), at + 80)}…`);
};

test("every secret of every output, source and the hub is masked, however it was given", () => {
  assert.ok(secrets.length > 30, `${secrets.length} secrets`);
  for (const { owner, key, schema } of secrets) {
    const { value, text } = planted(schema);
    const path = pathOf(owner, key);
    const base = exampleOf(owner);
    const given: Record<string, Given> = {
      file: { yaml: stringify(put(base, path, value)) },
      variable: { yaml: stringify(base), env: { [envName(path)]: text } },
      "in a variable of the file's": {
        yaml: stringify(put(base, path, value)).replace(text, "${PLANTED}"),
        env: { PLANTED: text },
      },
      "command line": { yaml: stringify(base), overrides: [`${path}=${JSON.stringify(value)}`] },
      "file of its own": { yaml: stringify(put(without(base, path), `${path}_file`, "/run/secret")) },
    };
    for (const [way, one] of Object.entries(given)) assertHidden(shownOf(owner, one, text), `${path}, ${way}`);
  }
});

test("no message about a faulty value shows a secret that stands in it or beside it", () => {
  for (const { owner, key, schema } of secrets) {
    const path = pathOf(owner, key);
    const { value } = planted(schema);
    const base = exampleOf(owner);
    // A map's keys are names, which are shown.
    const named = fieldMeta(schema).pairs ? [] : [`${canary}:@`];
    const wrong: readonly unknown[] = [[canary, canary], { x: { y: canary } }, `nonsense ${canary}`, ...named];
    for (const one of wrong) assertHidden(shownOf(owner, { yaml: stringify(put(base, path, one)) }, ""), path);
    for (const text of [
      `*${canary}`,
      `!${canary}`,
      `!a!${canary}`,
      `|${canary}`,
      `"\\x${canary}"`,
      `'${canary}' ${canary}`,
      `[${canary}`,
      `{${canary}`,
      `@${canary}`,
      `%${canary}`,
      `- ${canary}`,
      `a: ${canary}: b`,
    ]) {
      const yaml = stringify(put(base, path, "PLACE")).replace("PLACE", () => text);
      assertHidden(shownOf(owner, { yaml }, ""), `${path}: ${text}`);
    }
    const planting = put(base, path, value);
    for (const [other, field] of Object.entries(owner.fields)) {
      if (other === key || fieldMeta(field).secret) continue;
      for (const odd of [["a", { b: 1 }], { c: [1] }, "\u0000 {{ no"])
        assertHidden(
          shownOf(owner, { yaml: stringify(put(planting, pathOf(owner, other), odd)) }, ""),
          `${path}, ${other}`,
        );
    }
  }
});

test("what is declared no secret and may hold a URL with one shows nothing of it", () => {
  const url = `http://${canary}user:${canary}pass@127.0.0.1:9/x?key=${canary}query`;
  for (const owner of owners)
    for (const [key, schema] of Object.entries(owner.fields)) {
      if (!fieldMeta(schema).schemes || fieldMeta(schema).secret) continue;
      const several = Array.isArray(schema.safeParse(undefined).data);
      const yaml = stringify(put(exampleOf(owner), pathOf(owner, key), several ? [url] : url));
      assertHidden(shownOf(owner, { yaml }, url), pathOf(owner, key));
    }
  const env = { HTTPS_PROXY: `http://u:${canary}@proxy:3128`, http_proxy: `http://u:${canary}@proxy:3128` };
  assertHidden(shownOf({ name: "", fields: {}, example: {} }, { yaml: "{}", env }, env.HTTPS_PROXY), "proxies");
});
