/** Fields that an index refuses: exactly they are left out, and named in the log. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pino } from "pino";
import elasticsearch from "../../outputs/elasticsearch/index.ts";
import { openHttp } from "../../src/deliver/http.ts";
import type { FieldValue } from "../../src/sdk/alert.ts";
import type { Alerts } from "../../src/sdk/output.ts";
import { bulkAnswer } from "../fakes/answers.ts";
import { openSink } from "../fakes/http-sink.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { numbered, place, send } from "../support/output-sends.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";

describe("elasticsearch: refused fields", () => {
  it("sends a document again without the field whose type was refused, once", async () => {
    const refusal = (n: number, text: string) =>
      [2, 3].includes(n) && text.includes('"user.name"')
        ? {
            status: 400,
            error: {
              type: "mapper_parsing_exception",
              reason: "failed to parse field [output_fields.user.name] of type [long]",
            },
          }
        : n === 3
          ? { status: 400, error: { type: "illegal_argument_exception", reason: "still no" } }
          : undefined;
    const { fault, received } = await send(
      elasticsearch,
      (hostport) => ({ hostport, suffix: "none" }),
      numbered(6),
      ({ body }) => bulkAnswer(body, (id, text) => refusal(place(id), text)),
    );
    assert.deepEqual(fault, { reason: "invalid", retryable: false, failed: [3], dead: [3] });
    assert.equal(received.length, 2);
    const again = received[1]!.body.trimEnd().split("\n");
    assert.equal(again.length, 4);
    const document = JSON.parse(again[1]!) as { output_fields: object; "@timestamp": string };
    assert.deepEqual(Object.keys(document.output_fields), ["container.id", "k8s.ns.name", "proc.pid"]);
    assert.equal(document["@timestamp"], "2025-01-15T10:20:30.123456789Z");
  });

  const fielded = (output_fields: Readonly<Record<string, FieldValue>>) => sampleAlert({ output_fields });
  /** Refuses each document for the first of the faults whose field it holds; the answer is what was stored at last. */
  const storedAfter = async (alerts: Alerts, faults: Readonly<Record<string, object>>, settings: object = {}) => {
    const stored: Record<string, unknown>[] = [];
    const { fault, received, omitted } = await send(
      elasticsearch,
      (hostport) => ({ hostport, ...settings }),
      alerts,
      ({ body }) =>
        bulkAnswer(body, (_, text) => {
          const found = Object.keys(faults).find((field) => text.includes(`${JSON.stringify(field)}:`));
          if (found !== undefined) return { status: 400, error: faults[found] };
          stored.push((JSON.parse(text) as { output_fields: Record<string, unknown> }).output_fields);
          return undefined;
        }),
    );
    return { fault, stored, requests: received.length, omitted };
  };
  const refusals: Readonly<Record<string, (path: string) => object>> = {
    "a value of another type": (path) => ({
      type: "mapper_parsing_exception",
      reason: `failed to parse field [${path}] of type [long] in document with id 'x'. Preview of field's value: 'output_fields.b'`,
    }),
    "a type that cannot be changed": (path) => ({
      type: "illegal_argument_exception",
      reason: `mapper [${path}] cannot be changed from type [long] to [text]`,
    }),
    "an object where a value was": (path) => ({
      type: "illegal_argument_exception",
      reason: `can't merge a non object mapping [${path}] with an object mapping`,
    }),
    "an object where a value was, as Elasticsearch 6 says it": (path) => ({
      type: "illegal_argument_exception",
      reason: `Can't merge a non object mapping [${path}] with an object mapping [${path}]`,
    }),
    "a value where an object was": (path) => ({
      type: "document_parsing_exception",
      reason: `[1:5] object mapping for [${path}] tried to parse field [b] as object, but found a concrete value`,
    }),
    "a dotted name below a value": (path) => ({
      type: "document_parsing_exception",
      reason: `[1:5] Could not dynamically add mapping for field [${path}]. Existing mapping for [output_fields.other] must be of type object but found [text].`,
    }),
    "a mapping that allows no new field": (path) => ({
      type: "strict_dynamic_mapping_exception",
      reason: `[1:5] mapping set to strict, dynamic introduction of [${path.replace("output_fields.", "")}] within [output_fields] is not allowed`,
    }),
    "a word that is too long to be indexed": (path) => ({
      type: "illegal_argument_exception",
      reason: `Document contains at least one immense term in field="${path}" (whose UTF8 encoding is longer than the max length 32766)`,
    }),
    "a cause below the error": (path) => ({
      type: "mapper_parsing_exception",
      reason: "failed to parse",
      caused_by: {
        type: "illegal_argument_exception",
        reason: `mapper [${path}] cannot be changed from type [long] to [text]`,
      },
    }),
  };
  for (const [name, refusal] of Object.entries(refusals))
    it(`leaves out exactly the field that is refused for ${name}`, async () => {
      const fields = {
        "proc.aname[2]": "bad",
        "proc.aname[2].x": "1",
        "proc.aname": "2",
        "proc.aname[20]": "3",
        "other.x": "4",
      };
      const { fault, stored, requests, omitted } = await storedAfter([fielded(fields)], {
        "proc.aname[2]": refusal("output_fields.proc.aname[2]"),
      });
      assert.equal(fault, undefined);
      const { "proc.aname[2]": _, ...rest } = fields;
      assert.deepEqual(stored, [rest]);
      assert.deepEqual([requests, omitted], [2, 1]);
    });

  it("leaves out several fields, of which the index names one at a time, and finds them within values", async () => {
    const mapper = (path: string) => ({
      type: "illegal_argument_exception",
      reason: `mapper [output_fields.${path}] cannot be changed from type [long] to [text]`,
    });
    const { fault, stored, requests } = await storedAfter(
      [
        fielded({ a: "1", b: "2", good: "3", obj: { inner: { bad: 1, good: 2 } }, list: [{ x: 1, y: 2 }, 3] }),
        fielded({ good: "4" }),
      ],
      { a: mapper("a"), b: mapper("b"), bad: mapper("obj.inner.bad"), x: mapper("list.x") },
    );
    assert.equal(fault, undefined);
    assert.deepEqual(stored, [{ good: "4" }, { good: "3", list: [{ y: 2 }, 3], obj: { inner: { good: 2 } } }]);
    assert.equal(requests, 5);
  });

  it("names the flattened fields as they are written", async () => {
    const refusal = {
      type: "illegal_argument_exception",
      reason: "mapper [output_fields.proc_name] cannot be changed from type [long] to [text]",
    };
    const { stored } = await storedAfter(
      [fielded({ "proc.name": "1", "proc.name_x": "2" })],
      { proc_name: refusal },
      { flattenfields: true },
    );
    assert.deepEqual(stored, [{ proc_name_x: "2" }]);
  });

  it("logs a field that is left out by its name, once, without its value", async () => {
    const lines: string[] = [];
    const refusal = {
      type: "mapper_parsing_exception",
      reason:
        "failed to parse field [output_fields.bad] of type [long] in document with id 'x'. Preview of field's value: 's3cret'",
    };
    const sink = await openSink(({ body }) =>
      bulkAnswer(body, (_, text) => (text.includes('"bad":') ? { status: 400, error: refusal } : undefined)),
    );
    const http = openHttp({ rejectUnauthorized: true });
    const log = pino({ base: null }, { write: (line: string) => lines.push(line) });
    const sender = await openSender(elasticsearch, configOf(elasticsearch, { hostport: sink.url }), {
      ...testHost(http),
      log,
    });
    for (let i = 0; i < 3; i += 1)
      await sender.send([fielded({ bad: "s3cret", good: "1" })], AbortSignal.timeout(5000));
    await http.close();
    await sink.close();
    const told = lines.map((line) => JSON.parse(line) as { fields: string[]; said: string });
    assert.deepEqual(
      told.map(({ fields }) => fields),
      [["bad"]],
    );
    assert.equal(told[0]?.said, "mapper_parsing_exception: failed to parse field [output_fields.bad] of type [long]");
  });

  it("gives a document up that is refused on and on, and one whose field is not among them", async () => {
    const fields = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, "x"]));
    const mapper = (path: string) => ({
      type: "illegal_argument_exception",
      reason: `mapper [${path}] cannot be changed from type [long] to [text]`,
    });
    const faults = Object.fromEntries(Object.keys(fields).map((name) => [name, mapper(`output_fields.${name}`)]));
    const many = await storedAfter([fielded(fields)], faults);
    assert.deepEqual([many.fault?.reason, many.fault?.dead, many.requests], ["invalid", [0], 11]);
    const own = await storedAfter([fielded({ a: "x" })], { rule: mapper("rule") });
    assert.deepEqual([own.fault?.reason, own.fault?.dead, own.requests], ["invalid", [0], 1]);
  });
});
