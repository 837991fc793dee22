import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../sdk/fields.ts";
import type { FalcoOutput, Output } from "../sdk/output.ts";
import { type Block, blockOf } from "./block.ts";
import { fieldsOf } from "./delivery-fields.ts";
import { falcoBlocks } from "./falco-keys.ts";
import type { GlobalSettings } from "./hub.ts";
import { type ReadOutput, readOutput } from "./output-instances.ts";
import { pemReader } from "./pem-reader.ts";
import type { Place, Problems } from "./problem.ts";
import { type Fault, type Reader, readFields } from "./settings.ts";
import { type Tree, treeOf } from "./tree.ts";

type Blocks = Config<typeof falcoBlocks>;

export interface FalcoOutputsParts {
  readonly outputs: readonly Output[];
  readonly found: ReadonlyMap<string, Tree>;
  readonly globals: GlobalSettings;
  /** Outputs under their own keys: one that falco.yaml asks for again is not opened twice. */
  readonly own: readonly ReadOutput[];
  /** `json_output`. */
  readonly json: boolean;
  readonly reader: Reader;
}

/** The blocks of falco.yaml whose `enabled` means: alerts go there. */
const outputBlocks = ["stdout_output", "syslog_output", "file_output", "http_output", "program_output"] as const;
/** What a block cannot do without, as Falco has it. */
const needed: Readonly<Record<string, keyof Blocks>> = {
  file_output: "file_output.filename",
  http_output: "http_output.url",
  program_output: "program_output.program",
};

/** The outputs that falco.yaml's own blocks ask for; what asks for more than is done is named. */
export const falcoOutputs = (parts: FalcoOutputsParts): readonly ReadOutput[] => {
  const { found, reader } = parts;
  const { values, places, faults } = readFields(
    falcoBlocks,
    { label: "", inFile: (key) => found.get(key), envOver: () => [] },
    reader,
  );
  const at = (key: string): Place => places.get(key) ?? {};
  for (const fault of faults) tellFault(fault, values, reader.problems);
  nameUndone(values, at, reader.problems);
  return outputBlocks.flatMap((block): readonly ReadOutput[] => {
    if (!values[`${block}.enabled`]) return [];
    const missing = needed[block];
    if (missing !== undefined && values[missing] === "") {
      // A URL that is none was named already.
      if (!found.has(missing)) reader.problems.error(missing, "is missing", at(`${block}.enabled`));
      return [];
    }
    if (block === "http_output" && isOwnAddress(values["http_output.url"], parts.globals)) {
      reader.problems.warn(
        "http_output.url",
        "is this hub itself: left out, alerts would come back for ever",
        at("http_output.url"),
      );
      return [];
    }
    return asOutput(
      { name: block, values: blockOf(values, block), json: parts.json },
      values,
      at(`${block}.enabled`),
      parts,
    );
  });
};

/** What a block that is not enabled holds is nobody's concern. */
const tellFault = ({ key, message, at }: Fault, values: Blocks, problems: Problems): void => {
  const block = key.slice(0, key.indexOf("."));
  const given: Readonly<Record<string, unknown>> = values;
  const enabled = given[`${block}.enabled`] === true;
  if (key === needed[block] && enabled) problems.off(block, key, `${message}; ${block} is off`, at);
  else if (key === `${block}.enabled` || enabled) problems.off(undefined, key, `${message}; its default is used`, at);
};

const asOutput = (wanted: FalcoOutput, blocks: Blocks, at: Place, parts: FalcoOutputsParts): readonly ReadOutput[] => {
  const { reader, globals, found } = parts;
  for (const output of parts.outputs) {
    const asked = output.fromFalco?.(wanted);
    if (asked === undefined) continue;
    if (typeof asked === "string") {
      // `syslog_output` is on in the file that Falco is installed with.
      reader.problems.info(wanted.name, asked, at);
      return [];
    }
    const fields = fieldsOf(output);
    const places: Readonly<Record<string, Tree | undefined>> =
      wanted.name === "http_output" ? transportTrees(blockOf(blocks, "http_output"), found, at) : {};
    const trees = new Map(Object.entries(asked).map(([key, value]) => [key, treeOf(value, at)]));
    const label = `${wanted.name}.`;
    const named: Reader = { ...reader, problems: inFalcosWords(reader.problems, label, blocks) };
    const lookup = { label, inFile: (key: string) => places[key] ?? trees.get(key), envOver: () => [] };
    const raw = { ...readFields(fields, lookup, named), id: `${output.name}.${wanted.name}`, name: wanted.name, label };
    if (parts.own.some(({ id }) => id === raw.id)) {
      reader.problems.error(wanted.name, `is called ${raw.id}, as an instance of yours is: give that another name`, at);
      return [];
    }
    const read = readOutput(output, { ...raw, inList: false }, globals, pemReader(named), named);
    // There is one standard output, whatever the form.
    const alike = (config: unknown): boolean =>
      wanted.name === "stdout_output" || isDeepStrictEqual(config, read.instance?.config);
    const twin = parts.own.some(({ instance }) => instance?.output === output && alike(instance.config));
    return twin ? [] : [read];
  }
  reader.problems.off(wanted.name, wanted.name, "is not done: alerts go to the hub's outputs alone", at);
  return [];
};

/** What the engine needs for `http_output`, each where falco.yaml has it. */
const transportTrees = (
  values: Block<Blocks, "http_output">,
  found: ReadonlyMap<string, Tree>,
  at: Place,
): Readonly<Record<string, Tree | undefined>> => {
  const given = (key: keyof typeof values): Tree | undefined =>
    values[key] === "" ? undefined : (found.get(`http_output.${key}`) ?? treeOf(values[key], at));
  return {
    checkcert: values.insecure ? treeOf(false, at) : undefined,
    cacertfile: given("ca_cert") ?? given("ca_bundle"),
    ...(values.mtls && { certfile: given("client_cert"), keyfile: given("client_key") }),
  };
};

/** Keys of `webhook` as `http_output` calls them. */
const falcosNames: Readonly<Record<string, keyof Block<Blocks, "http_output">>> = {
  address: "url",
  checkcert: "insecure",
  certfile: "client_cert",
  keyfile: "client_key",
  mutualtls: "mtls",
};

const inFalcosWords = (problems: Problems, label: string, values: Blocks): Problems => {
  const names: typeof falcosNames = {
    ...falcosNames,
    cacertfile: values["http_output.ca_cert"] === "" ? "ca_bundle" : "ca_cert",
  };
  const named = (key: string): string =>
    key.startsWith(label) ? label + (names[key.slice(label.length)] ?? key.slice(label.length)) : key;
  return {
    error: (key, message, at) => problems.error(named(key), message, at),
    off: (output, key, message, at) => problems.off(output, named(key), message, at),
    warn: (key, message, at) => problems.warn(named(key), message, at),
    info: (key, message, at) => problems.info(named(key), message, at),
    list: problems.list,
  };
};

const nameUndone = (values: Blocks, at: (key: string) => Place, problems: Problems): void => {
  const undone = (key: keyof Blocks, message: string): void => {
    if (values[key] !== falcoBlocks[key].parse(undefined)) problems.warn(key, message, at(key));
  };
  if (values["http_output.enabled"]) {
    undone("http_output.ca_path", "is not read: name one file in http_output.ca_cert");
    undone("http_output.echo", "is not done: /metrics and the log say what becomes of requests");
    undone("http_output.compress_uploads", "is not done: requests are sent as they are");
  }
  undone("grpc_output.enabled", "is not done: no gRPC is served");
  if (!values["grpc_output.enabled"]) undone("grpc.enabled", "is not done: no gRPC is served");
  undone("webserver.prometheus_metrics_enabled", "is not done on this port: metrics are at /metrics of the hub's own");
};

const loopback = /^(localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0|\[::\])$/i;

const isOwnAddress = (text: string, { values }: GlobalSettings): boolean => {
  const url = URL.parse(text);
  if (!url) return false;
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const own = values.listenaddress.toLowerCase();
  const host = url.hostname.toLowerCase();
  return port === values.listenport && (loopback.test(host) || host === own || host === hostname().toLowerCase());
};
