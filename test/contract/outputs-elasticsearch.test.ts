import assert from "node:assert/strict";
import { describe, it } from "node:test";
import elasticsearch from "../../outputs/elasticsearch/index.ts";
import { loadConfig } from "../../src/config/load.ts";
import { openHttp } from "../../src/deliver/http.ts";
import type { Alerts } from "../../src/sdk/output.ts";
import { bulkAnswer } from "../fakes/answers.ts";
import { openSink } from "../fakes/http-sink.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { json, numbered, place, send } from "../support/output-sends.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";

describe("elasticsearch", () => {
  const plain = (hostport: string) => ({ hostport, suffix: "none" });
  const bulk = (refuse: (n: number, text: string) => { status: number; error: unknown } | undefined) =>
    send(elasticsearch, plain, numbered(6), ({ body }) => bulkAnswer(body, (id, text) => refuse(place(id), text)));

  it("retries throttled and failed documents alone, and buries refused ones", async () => {
    const { fault } = await bulk((n) =>
      n === 1
        ? { status: 429, error: { type: "es_rejected_execution_exception", reason: "queue full" } }
        : n === 4
          ? { status: 400, error: { type: "illegal_argument_exception", reason: "no" } }
          : undefined,
    );
    assert.deepEqual(fault, { reason: "partial", retryable: true, failed: [1, 4], dead: [4] });
  });

  it("counts a document that is there already as delivered", async () => {
    const { fault } = await bulk(() => ({ status: 409, error: { type: "version_conflict_engine_exception" } }));
    assert.equal(fault, undefined);
  });

  it("stores another alert that bears the uuid of one that is there", async () => {
    const stored = new Map<string, string>();
    const alerts = [
      sampleAlert(),
      sampleAlert({ output: "another alert under the first one's uuid" }),
      sampleAlert(),
    ] as const;
    let known = 0;
    const { fault } = await send(elasticsearch, plain, alerts, ({ body }) =>
      bulkAnswer(body, (id, text) => {
        if (stored.has(id)) {
          known += 1;
          return { status: 409, error: { type: "version_conflict_engine_exception" } };
        }
        stored.set(id, (JSON.parse(text) as { output: string }).output);
        return undefined;
      }),
    );
    assert.equal(fault, undefined);
    assert.deepEqual([...stored.values()], [alerts[0].output, alerts[1].output]);
    assert.equal(known, 1);
  });

  for (const fieldmapping of ["keyword", "flattened"] as const)
    it(`offers an index template in which no first document types a field: ${fieldmapping}`, async () => {
      const { received } = await send(
        elasticsearch,
        (hostport) => ({ hostport, createindextemplate: true, fieldmapping }),
        numbered(1),
        ({ method }) => (method === "GET" ? { status: 404 } : json({ acknowledged: true })),
        "start",
      );
      const { mappings } = (JSON.parse(received[1]!.body) as { template: { mappings: Record<string, never> } })
        .template;
      const { output_fields } = mappings.properties as unknown as Record<string, { type: string }>;
      if (fieldmapping === "flattened") return assert.equal(output_fields?.type, "flattened");
      const types = (mappings.dynamic_templates as unknown as object[]).map(
        (it) => Object.values(it)[0] as { match_mapping_type: string; mapping: { type: string } },
      );
      assert.deepEqual(
        types.map(({ match_mapping_type, mapping }) => `${match_mapping_type} ${mapping.type}`),
        ["string keyword", "long keyword", "double keyword", "boolean keyword"],
      );
      assert.equal(mappings.date_detection, false);
    });

  for (const [name, reply] of Object.entries({
    "answers for fewer documents than were sent": json({ errors: false, items: [{ create: { status: 201 } }] }),
    "answers with a portal's page": { status: 200, headers: { "content-type": "text/html" }, body: "<html>" },
    "answers with half a JSON value": {
      status: 200,
      headers: { "content-type": "application/json" },
      body: '{"items":[',
    },
    "answers with nothing": { status: 200 },
    "answers null": json(null),
  }))
    it(`retries everything when the server ${name}`, async () => {
      const { fault } = await send(elasticsearch, plain, numbered(2), () => reply);
      assert.deepEqual([fault?.reason, fault?.retryable, fault?.failed], ["bad_reply", true, undefined]);
    });

  it("talks to servers that do not say they are Elasticsearch, in plain JSON", async () => {
    const { fault, received } = await send(elasticsearch, plain, numbered(1), ({ body }) => bulkAnswer(body));
    assert.equal(fault, undefined);
    assert.equal(received[0]!.headers["content-type"], "application/json; charset=utf-8");
    assert.equal(received[0]!.headers["x-elastic-client-meta"], undefined);
  });

  const withTemplate = (hostport: string) => ({ hostport, createindextemplate: true, username: "u", password: "p" });
  it("asks for the index template with its credentials, and leaves one that exists", async () => {
    const { fault, received } = await send(
      elasticsearch,
      withTemplate,
      numbered(1),
      () => json({ index_templates: [] }),
      "start",
    );
    assert.equal(fault, undefined);
    assert.deepEqual(
      received.map((r) => [r.method, r.path, r.headers.authorization]),
      [["GET", "/_index_template/falco", "Basic dTpw"]],
    );
  });

  it("says that the check failed when it may not see the index template", async () => {
    const { fault, received } = await send(elasticsearch, withTemplate, numbered(1), () => ({ status: 401 }), "start");
    assert.equal(fault?.reason, "auth_error");
    assert.equal(received.length, 1);
  });

  it("takes the bytes of a request from batching.batchsize", () => {
    const yaml = (more: object) => ({ elasticsearch: { hostport: "http://127.0.0.1:1", ...more } });
    const batchOf = (settings: object) => {
      const read = () => JSON.stringify(settings);
      const [instance] = loadConfig({ file: "eyrie.yaml", read, env: {}, outputs: [elasticsearch], sources: [] }).config
        .outputs;
      return instance?.delivery.batch ?? instance?.output.batchOf?.(instance.config);
    };
    assert.deepEqual(batchOf(yaml({ batching: { batchsize: 1000 } })), { items: 500, bytes: 1000 });
    assert.deepEqual(batchOf(yaml({ batching: { batchsize: 1000 }, batch: 7 })), { items: 7, bytes: 1000 });
    assert.deepEqual(batchOf(yaml({ batching: { batchsize: 1000 }, batch: { bytes: 9 } })), { items: 500, bytes: 9 });
  });

  it("repeats a document past midnight into the index of its first attempt", async () => {
    const sink = await openSink(({ body }) => bulkAnswer(body));
    const http = openHttp({ rejectUnauthorized: true });
    let now = new Date(2025, 0, 15, 23, 59, 59).getTime();
    const taken = now;
    try {
      const sender = await openSender(
        elasticsearch,
        configOf(elasticsearch, { hostport: sink.url }),
        testHost(http, () => now),
      );
      const [first, second] = numbered(2) as unknown as [Alerts[0], Alerts[0]];
      await sender.send([first], AbortSignal.timeout(5000), [taken]);
      now += 2000;
      await sender.send([second, first], AbortSignal.timeout(5000), [now, taken]);
    } finally {
      await http.close();
      await sink.close();
    }
    const documents = sink.requests.flatMap(({ body }) =>
      body
        .split("\n")
        .filter((line) => line.startsWith('{"create"'))
        .map((line) => (JSON.parse(line) as { create: { _index: string; _id: string } }).create),
    );
    assert.deepEqual(
      documents.map(({ _index, _id }) => [_index, place(_id)]),
      [
        ["falco-2025.01.15", 0],
        ["falco-2025.01.16", 1],
        ["falco-2025.01.15", 0],
      ],
    );
  });
});
