import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { outputs } from "../../../outputs/index.ts";
import { sources } from "../../../sources/index.ts";
import { fieldsOf } from "../../../src/config/delivery-fields.ts";
import { envName } from "../../../src/config/environment.ts";
import { falcoBlocks, falcoFields, falcoLists, falcoUnread } from "../../../src/config/falco-keys.ts";
import { falcoKeysOf } from "../../../src/config/falco-sources.ts";
import { falcosidekickKeys } from "../../../src/config/falcosidekick-keys.ts";
import { globalFields } from "../../../src/config/globals.ts";
import { load } from "./fixture.ts";

const config = join(import.meta.dirname, "../../../config");

test("the example file without its comment signs has no fault and enables every output", () => {
  const yaml = readFileSync(join(config, "eyrie.yaml"), "utf8").replaceAll(/^#(?=[^# ]| {2,})/gm, "");
  const found = load({ yaml, outputs });
  const mine = found.said.filter((line) => !line.includes(": k8saudit"));
  assert.deepEqual(mine, []);
  assert.deepEqual(
    found.config.outputs.map((o) => o.id),
    outputs.map((o) => o.name).toSorted(),
  );
});

test("every output's example enables it without a fault, in YAML as in a list", () => {
  for (const output of outputs) {
    const text = JSON.stringify(output.example);
    const asMap = load({ yaml: `${output.name}: ${text}\n`, outputs });
    assert.deepEqual(asMap.said, [], output.name);
    assert.ok(asMap.output(output.name), output.name);
    const asList = load({ yaml: `${output.name}:\n  - ${text}\n`, outputs });
    assert.deepEqual(asList.said, [], output.name);
    assert.ok(asList.output(`${output.name}.0`), output.name);
  }
});

test("an output's own keys have the default that falcosidekick gives them", () => {
  /** Where another default is deliberate: the decision says why. */
  const chosen = new Set(["alertmanager.dropeventthresholds", "elasticsearch.customheaders"]);
  /** Written without a default there, which means false. */
  for (const output of ["nodered", "tekton"]) chosen.add(`${output}.mutualtls`);
  const plain = (value: unknown): string =>
    value === undefined || JSON.stringify(value) === "{}" ? "" : String(value as string);
  for (const output of outputs)
    for (const [key, schema] of Object.entries(fieldsOf(output))) {
      const path = `${output.name}.${key}`;
      const theirs = falcosidekickKeys.get(path);
      if (theirs === undefined || key === "maxconcurrentrequests" || chosen.has(path)) continue;
      const ours = schema.safeParse(undefined).data;
      const said = key === "batching.flushinterval" && ours === 1000 ? "1s" : plain(ours);
      assert.equal(said, theirs, path);
    }
});

test("every key of falcosidekick's built outputs is read, from YAML and from its variable", () => {
  /** Keys that had no effect in falcosidekick, or have none by design. */
  const dead = new Set<string>();
  const missing = [...falcosidekickKeys.keys()].filter((key) => {
    const output = outputs.find((o) => key.startsWith(`${o.name}.`));
    return output && !(key.slice(output.name.length + 1) in fieldsOf(output)) && !dead.has(key);
  });
  assert.deepEqual(missing, []);
});

test("the schema knows every key of the hub and every output", () => {
  interface Schema {
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly anyOf?: readonly Schema[];
    readonly description?: string;
    readonly $ref?: string;
    readonly $defs?: Readonly<Record<string, Schema>>;
  }
  const schema = JSON.parse(readFileSync(join(config, "schema.json"), "utf8")) as Schema;
  const referred = (s: Schema | undefined): Schema | undefined =>
    s?.$ref === undefined ? s : schema.$defs?.[s.$ref.slice("#/$defs/".length)];
  const at = (path: string): Schema | undefined =>
    path
      .split(".")
      .reduce<Schema | undefined>((s, key) => referred((s?.properties ?? s?.anyOf?.[0]?.properties)?.[key]), schema);
  const paths = [
    ...Object.keys(globalFields),
    ...Object.keys({ ...falcoFields, ...falcoBlocks, ...falcoKeysOf(sources) }),
    ...falcoLists,
    ...outputs.flatMap((o) => Object.keys(fieldsOf(o)).map((key) => `${o.name}.${key}`)),
  ];
  for (const path of paths) assert.ok(at(path)?.description, path);
});

test("falco.yaml's keys, falcosidekick's and the hub's own do not clash", () => {
  const firsts = (keys: Iterable<string>): Set<string> => new Set([...keys].map((key) => key.split(".")[0] ?? key));
  const falco = firsts([
    ...Object.keys({ ...falcoFields, ...falcoBlocks, ...falcoKeysOf(sources) }),
    ...falcoLists,
    ...falcoUnread.keys(),
  ]);
  const hub = firsts([...Object.keys(globalFields), ...falcosidekickKeys.keys()]);
  assert.deepEqual([...hub.intersection(falco)], []);
  const variables = [...falcosidekickKeys.keys()].map(envName);
  assert.equal(new Set(variables).size, variables.length);
});
