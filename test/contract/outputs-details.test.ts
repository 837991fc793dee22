import assert from "node:assert/strict";
import { describe, it } from "node:test";
import alertmanager from "../../outputs/alertmanager.ts";
import loki from "../../outputs/loki/index.ts";
import mattermost from "../../outputs/mattermost.ts";
import opsgenie from "../../outputs/opsgenie.ts";
import rocketchat from "../../outputs/rocketchat.ts";
import slack from "../../outputs/slack.ts";
import teams from "../../outputs/teams.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Alerts, Output } from "../../src/sdk/output.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { context, numbered, send } from "../support/output-sends.ts";
import { configOf } from "../support/senders.ts";

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
  for (const output of [slack, mattermost, rocketchat] as Output[])
    it(`${output.name} warns of a messageformat that does not parse, and sends without it`, () => {
      const settings = { webhookurl: "http://127.0.0.1:1/x", messageformat: "{{ .Rule " };
      const { config, problems } = loadConfig({
        file: "eyrie.yaml",
        read: () => JSON.stringify({ [output.name]: settings }),
        env: {},
        outputs: [output],
        sources: [],
      });
      assert.deepEqual(
        problems.map(({ severity, key }) => `${severity} ${key}`),
        [`warning ${output.name}.messageformat`],
      );
      assert.equal(config.outputs.length, 1);
    });

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
