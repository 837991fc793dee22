import assert from "node:assert/strict";
import { describe, it } from "node:test";
import alertmanager from "../../outputs/alertmanager.ts";
import elasticsearch from "../../outputs/elasticsearch.ts";
import loki from "../../outputs/loki.ts";
import opsgenie from "../../outputs/opsgenie.ts";
import slack from "../../outputs/slack.ts";
import teams from "../../outputs/teams.ts";
import { loadConfig } from "../../src/config/load.ts";
import { openHttp } from "../../src/deliver/http.ts";
import { DeliveryError, type DeliveryFault } from "../../src/sdk/errors.ts";
import type { Alerts, Output } from "../../src/sdk/output.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";
import { type Answer, bulkAnswer, openSink, type Received } from "../support/sink.ts";

const context = {
  now: Date.parse("2025-01-15T12:00:00Z"),
  hub: { outputs: [], customfields: {}, templatedfields: {} },
};
const json = (body: unknown): Answer => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const numbered = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    sampleAlert({ uuid: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}` }),
  ) as unknown as Alerts;
const place = (id: string) => Number(id.slice(-12));

interface Sent {
  readonly fault: DeliveryFault | undefined;
  readonly received: readonly Received[];
}

/** Sends to a server that answers as told. */
const send = async (
  output: Output,
  settings: (url: string) => Readonly<Record<string, unknown>>,
  alerts: Alerts,
  answer: (request: Received) => Answer | undefined,
  phase: "send" | "start" = "send",
): Promise<Sent> => {
  const sink = await openSink(answer);
  const http = openHttp({ rejectUnauthorized: true });
  try {
    const sender = await openSender(
      output,
      configOf(output, settings(sink.url)),
      testHost(http, () => context.now),
    );
    const signal = AbortSignal.timeout(5000);
    await (phase === "send" ? sender.send(alerts, signal) : sender.start?.(signal));
    return { fault: undefined, received: sink.received };
  } catch (error) {
    assert.ok(error instanceof DeliveryError, String(error));
    return { fault: error.fault, received: sink.received };
  } finally {
    await http.close();
    await sink.close();
  }
};

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
    const { fault, received } = await bulk(refusal);
    assert.deepEqual(fault, { reason: "invalid", retryable: false, failed: [3], dead: [3] });
    assert.equal(received.length, 2);
    const again = received[1]!.body.trimEnd().split("\n");
    assert.equal(again.length, 4);
    const document = JSON.parse(again[1]!) as { output_fields: object; "@timestamp": string };
    assert.deepEqual(Object.keys(document.output_fields), ["container.id", "k8s.ns.name", "proc.pid"]);
    assert.equal(document["@timestamp"], "2025-01-15T10:20:30.123456789Z");
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
    const documents = sink.received.flatMap(({ body }) =>
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

describe("loki", () => {
  const streamsOf = (alerts: Alerts) => {
    const config = configOf(loki, { hostport: "http://127.0.0.1:3100", extralabels: "user.name, a-b[2]" });
    const request = loki.request(alerts, config as never, context);
    return (
      JSON.parse(String(request.body)) as { streams: { stream: Record<string, string>; values: [string, string][] }[] }
    ).streams;
  };

  it("puts alerts of equal labels into one stream, in the order of their times", () => {
    const at = (time: string, rule: string) => sampleAlert({ time, rule, output: time });
    const streams = streamsOf([
      at("2025-01-15T10:00:02Z", "a"),
      at("2025-01-15T10:00:03Z", "b"),
      at("2025-01-15T10:00:01.000000002Z", "a"),
      at("2025-01-15T10:00:01.000000001Z", "a"),
    ]);
    assert.deepEqual(
      streams.map(({ stream, values }) => [stream.rule, values.map(([ns]) => ns)]),
      [
        ["a", ["1736935201000000001", "1736935201000000002", "1736935202000000000"]],
        ["b", ["1736935203000000000"]],
      ],
    );
  });

  it("makes label names that Loki takes", () => {
    const output_fields = { "1st": "x", "a-b[2]": "y", "user.name": 'ro"ot' };
    const [first] = streamsOf([sampleAlert({ output_fields, added: ["1st"] })]);
    assert.equal(first?.stream._1st, "x");
    assert.equal(first?.stream.a_b2, "y");
    assert.equal(first?.stream.user_name, "root");
  });

  it("cuts a line that is longer than Loki takes, between characters", () => {
    const line = streamsOf([sampleAlert({ output: "é".repeat(200_000) })])[0]!.values[0]![1];
    assert.ok(Buffer.byteLength(line) <= 262_144);
    assert.match(line, /^é+\[\.\.\.\]$/);
  });
});

describe("alertmanager", () => {
  const one = numbered(1);
  const labelsFor = async (fields: Readonly<Record<string, string | number>>, settings: object = {}) => {
    const alert = sampleAlert({ priority: "Debug", output_fields: fields });
    const { received } = await send(
      alertmanager,
      (url) => ({ hostport: [url], ...settings }),
      [alert],
      () => ({ status: 200 }),
    );
    return (JSON.parse(received[0]!.body) as [{ labels: Record<string, string>; endsAt: string }])[0];
  };

  it("counts an alert as delivered when one of several hosts took it", async () => {
    const { fault, received } = await send(
      alertmanager,
      (url) => ({ hostport: [url, `${url}/down`] }),
      one,
      ({ path }) => ({ status: path.startsWith("/down") ? 503 : 200 }),
    );
    assert.equal(fault, undefined);
    assert.equal(received.length, 2);
  });

  it("fails when no host took it", async () => {
    const { fault } = await send(
      alertmanager,
      (url) => ({ hostport: [url, url] }),
      one,
      () => ({ status: 503 }),
    );
    assert.deepEqual([fault?.reason, fault?.retryable], ["server_error", true]);
  });

  it("ends an alert that comes late after its delivery, not before", async () => {
    assert.equal((await labelsFor({ a: "b" }, { expiresafter: 60 })).endsAt, "2025-01-15T12:01:00.000Z");
    assert.equal((await labelsFor({ a: "b" }, { expiresafter: 7200 })).endsAt, "2025-01-15T12:20:30.123456789Z");
  });

  for (const [drops, label, priority] of [
    [0, "0", "Warning"],
    ["1", "1", "Critical"],
    [11, ">10", "Warning"],
    ["101", ">100", "Critical"],
    [20_000, ">10000", "Critical"],
  ] as const)
    it(`labels ${drops} dropped events as ${label} and raises the priority to ${priority}`, async () => {
      const { labels } = await labelsFor(
        { n_drops: drops, n_evts: 9 },
        drops === "1" ? { dropeventthresholds: "10:warning" } : {},
      );
      assert.deepEqual([labels.n_drops, labels.priority, labels.n_evts], [label, priority, undefined]);
    });
});

describe("teams", () => {
  const cardFor = (settings: Readonly<Record<string, unknown>>, alert = sampleAlert()) =>
    JSON.parse(String(teams.request([alert], configOf(teams, settings) as never, context).body)) as Record<
      string,
      never
    >;

  for (const [url, kind] of [
    ["https://prod-01.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke?sig=s", "message"],
    ["https://x.01.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/x", "message"],
    ["https://acme.webhook.office.com/webhookb2/x", "MessageCard"],
    ["http://127.0.0.1:1/webhook/x", "MessageCard"],
    ["https://evil.example/?.logic.azure.com/", "MessageCard"],
  ] as const)
    it(`sends a ${kind} to ${new URL(url).hostname}`, () => {
      const card = cardFor({ webhookurl: url });
      assert.equal(card.type ?? card["@type"], kind);
    });

  it("puts text and facts into the adaptive card that a workflow posts", () => {
    const card = cardFor({ webhookurl: "http://127.0.0.1:1/x", cardtype: "adaptivecard" }) as unknown as {
      attachments: [
        {
          contentType: string;
          content: { type: string; body: { type: string; text?: string; facts?: { title: string }[] }[] };
        },
      ];
    };
    const { contentType, content } = card.attachments[0];
    assert.equal(contentType, "application/vnd.microsoft.card.adaptive");
    assert.deepEqual(
      content.body.map((part) => part.type),
      ["Container", "TextBlock", "FactSet"],
    );
    assert.equal(content.body[1]?.text, sampleAlert().output);
    assert.deepEqual(
      content.body[2]?.facts?.map((fact) => fact.title),
      ["rule", "priority", "source", "hostname", "container.id", "k8s.ns.name", "proc.pid", "user.name", "tags"],
    );
  });

  it("stays below the 28 KB that a message may have, whatever the alert", () => {
    const output_fields = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`f${i}`, "é".repeat(500)]));
    for (const cardtype of ["messagecard", "adaptivecard"])
      for (const output of ["x".repeat(100_000), "é".repeat(100_000), '"\\\n<'.repeat(20_000)]) {
        const alert = sampleAlert({ output, output_fields, tags: Array.from({ length: 500 }, (_, i) => `tag-${i}`) });
        const config = configOf(teams, { webhookurl: "http://127.0.0.1:1/x", cardtype });
        const body = String(teams.request([alert], config as never, context).body);
        assert.ok(Buffer.byteLength(body) <= 28_672, `${cardtype}: ${Buffer.byteLength(body)} bytes`);
      }
  });

  it("retries a message that a connector took but could not deliver", async () => {
    const said =
      "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId";
    const { fault } = await send(
      teams,
      (url) => ({ webhookurl: url }),
      numbered(1),
      () => ({ status: 200, body: said }),
    );
    assert.deepEqual([fault?.reason, fault?.retryable], ["rate_limited", true]);
  });
});

describe("opsgenie", () => {
  it("sends to Jira Service Management with the region jsm", () => {
    const request = opsgenie.request(numbered(1), configOf(opsgenie, { apikey: "k", region: "JSM" }) as never, context);
    assert.equal(request.url, "https://api.atlassian.com/jsm/ops/integration/v2/alerts");
  });
});

describe("chats", () => {
  it("show numbers and booleans as they were written, and nothing for null", async () => {
    const alert = sampleAlert({
      output_fields: { "evt.ok": true, "proc.pid": 4242, "proc.name": "sh", nothing: null },
    });
    const { received } = await send(
      slack,
      (webhookurl) => ({ webhookurl }),
      [alert],
      () => ({ status: 200 }),
    );
    const { fields } = (
      JSON.parse(received[0]!.body) as { attachments: [{ fields: { title: string; value: string }[] }] }
    ).attachments[0];
    assert.deepEqual(
      fields.slice(5, -1).map(({ title, value }) => `${title}=${value}`),
      ["evt.ok=true", "proc.pid=4242", "proc.name=sh"],
    );
  });
});
