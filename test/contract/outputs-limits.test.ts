import assert from "node:assert/strict";
import { describe, it } from "node:test";
import datadog from "../../outputs/datadog.ts";
import discord from "../../outputs/discord.ts";
import { document } from "../../outputs/elasticsearch/document.ts";
import elasticsearch from "../../outputs/elasticsearch/index.ts";
import loki from "../../outputs/loki/index.ts";
import mattermost from "../../outputs/mattermost.ts";
import opsgenie from "../../outputs/opsgenie.ts";
import pagerduty from "../../outputs/pagerduty.ts";
import rocketchat from "../../outputs/rocketchat.ts";
import { message } from "../../outputs/slack.ts";
import splunk from "../../outputs/splunk.ts";
import webhook from "../../outputs/webhook/index.ts";
import { rawEvent } from "../../src/sdk/alert.ts";
import type { HttpOutput } from "../../src/sdk/output.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { context } from "../support/output-sends.ts";
import { configOf } from "../support/senders.ts";

const many = (count: number, value: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`field.${i}`, value]));

/** Alerts that break every limit there is, and one that breaks none. */
const alerts = {
  "long text": sampleAlert({ output: "é😀".repeat(60_000), rule: "r".repeat(60_000) }),
  "many fields": sampleAlert({ output_fields: many(3000, "v".repeat(100)) }),
  "long fields": sampleAlert({ output_fields: many(40, "é".repeat(20_000)) }),
  "many tags": sampleAlert({ tags: Array.from({ length: 3000 }, (_, i) => `tag-${i}`) }),
  "long names": sampleAlert({ output_fields: { ["n".repeat(20_000)]: "v" }, hostname: "h".repeat(20_000) }),
};
const bodyOf = (output: unknown, config: object, alert = sampleAlert()) =>
  JSON.parse(
    String((output as HttpOutput).request([alert], configOf(output as HttpOutput, { ...config }), context).body),
  ) as never;

const size = (values: readonly unknown[]) => values.reduce<number>((sum, value) => sum + String(value).length, 0);

describe("what a destination would refuse is fitted", () => {
  for (const [name, alert] of Object.entries(alerts)) {
    it(`opsgenie: ${name}`, () => {
      const made: { message: string; description: string; details: Record<string, string> } = bodyOf(
        opsgenie,
        { apikey: "k" },
        alert,
      );
      assert.ok(made.message.length <= 130);
      assert.ok(made.description.length <= 15_000);
      assert.ok(size(Object.entries(made.details).flat()) <= 8000);
      assert.deepEqual(Object.keys(made.details).slice(-5), ["rule", "source", "priority", "hostname", "tags"]);
    });

    it(`datadog: ${name}`, () => {
      const made: { title: string; text: string; tags: string[] } = bodyOf(
        datadog,
        { apikey: "k", allfields: true },
        alert,
      );
      assert.ok(made.title.length <= 500);
      assert.ok(made.text.length <= 4000);
      for (const tag of made.tags) assert.ok(tag.length <= 200);
    });

    it(`slack, mattermost and rocketchat: ${name}`, () => {
      const messageformat = "{{ .Output }}{{ .Output }}";
      const settings = { webhookurl: "http://127.0.0.1:1/x", messageformat };
      const slackConfig = { ...configOf(mattermost, settings), channel: "" };
      for (const [made, heading] of [
        [message(alert, slackConfig as never), 40_000],
        [bodyOf(mattermost, settings, alert), 16_383],
        [bodyOf(rocketchat, settings, alert), 5000],
      ] as unknown as [
        { text: string; attachments: [{ text: string; fallback: string; fields: object[] }] },
        number,
      ][]) {
        const [{ text, fallback, fields }] = made.attachments;
        assert.ok(made.text.length <= heading);
        assert.ok(text.length <= 40_000 && fallback.length <= 40_000);
        assert.ok(fields.length <= 506);
        assert.ok(size(fields.flatMap((row) => Object.values(row))) <= 80_000);
        assert.ok(JSON.stringify(made).isWellFormed());
      }
    });

    it(`loki: ${name}`, () => {
      const [{ stream, values }]: [{ stream: Record<string, string>; values: [string, string][] }] = (
        bodyOf(loki, { hostport: "http://127.0.0.1:1", format: "json" }, alert) as { streams: never }
      ).streams;
      for (const value of Object.values(stream)) assert.ok(Buffer.byteLength(value) <= 2048);
      for (const [, line] of values) assert.ok(Buffer.byteLength(line) <= 262_144);
    });

    it(`webhook and elasticsearch get the whole alert: ${name}`, () => {
      assert.deepEqual(bodyOf(webhook, { address: "http://127.0.0.1:1" }, alert), JSON.parse(rawEvent(alert)));
      assert.ok(elasticsearch.batch);
      const { "@timestamp": time, ...rest } = JSON.parse(document(alert, false)) as Record<string, unknown>;
      assert.equal(time, alert.time);
      assert.deepEqual(rest, JSON.parse(rawEvent(alert)));
    });
  }

  it("an alert within the limits loses nothing", () => {
    const alert = sampleAlert();
    const { details }: { details: object } = bodyOf(opsgenie, { apikey: "k" });
    assert.deepEqual(details, {
      container_id: "3ad7b26ded6d",
      k8s_ns_name: "prod",
      proc_pid: "4242",
      user_name: "root",
      rule: alert.rule,
      source: alert.source,
      priority: alert.priority,
      hostname: alert.hostname,
      tags: alert.tags.join(", "),
    });
  });
});

describe("discord", () => {
  for (const [name, alert] of Object.entries(alerts))
    it(`takes the message: ${name}`, () => {
      const made: { embeds: [{ description: string; fields: { name: string; value: string }[] }] } = bodyOf(
        discord,
        { webhookurl: "http://127.0.0.1:1/x" },
        alert,
      );
      const [{ description, fields }] = made.embeds;
      assert.ok(description.length <= 4096);
      assert.ok(fields.length <= 25);
      for (const field of fields) {
        assert.ok(field.name.length >= 1 && field.name.length <= 256, field.name);
        assert.ok(field.value.length >= 1 && field.value.length <= 1024);
      }
      assert.ok(description.length + size(fields.flatMap((field) => [field.name, field.value])) <= 6000);
      const titles = fields.map((field) => field.name);
      for (const title of ["rule", "priority", "source", "hostname", "tags", "time"]) assert.ok(titles.includes(title));
    });
});

describe("pagerduty", () => {
  const eventOf = (alert: ReturnType<typeof sampleAlert>, more: object = {}) =>
    bodyOf(pagerduty, { routingkey: "k", ...more }, alert) as {
      dedup_key: string;
      payload: { summary: string; severity: string; custom_details: Record<string, unknown> };
    };

  for (const [name, alert] of Object.entries(alerts))
    it(`takes the event: ${name}`, () => {
      const event = eventOf(alert);
      assert.ok(event.payload.summary.length >= 1 && event.payload.summary.length <= 1024);
      assert.ok(Buffer.byteLength(JSON.stringify(event)) <= 524_288);
    });

  it("keeps values of every type, and reduces what is too large to text", () => {
    const fields = { list: ["x", 1], map: { k: true }, n: 7 };
    assert.deepEqual(eventOf(sampleAlert({ output_fields: fields })).payload.custom_details.map, { k: true });
    const large = eventOf(
      sampleAlert({ output_fields: { ...fields, zlist: Array.from({ length: 300_000 }, () => 0) } }),
    );
    assert.equal(large.payload.custom_details.n, "7");
    assert.match(String(large.payload.custom_details.zlist), /^(0, )+\[\.\.\.\]$/);
    assert.equal(large.payload.custom_details.rule, "Terminal shell in container");
  });

  for (const [priority, severity] of [
    ["Emergency", "critical"],
    ["Alert", "critical"],
    ["Critical", "critical"],
    ["Error", "error"],
    ["Warning", "warning"],
    ["Notice", "info"],
    ["Informational", "info"],
    ["Debug", "info"],
  ] as const)
    it(`takes ${priority} for ${severity}`, () => {
      const alert = sampleAlert({ priority });
      assert.equal(eventOf(alert).payload.severity, severity);
      assert.equal(eventOf(alert).dedup_key, alert.uuid);
    });
});

describe("splunk", () => {
  it("gives Splunk the alert's time and host when asked", () => {
    const settings = { host: "http://127.0.0.1:1", alerttime: true };
    const made: { time: number; host: string } = bodyOf(splunk, settings);
    assert.deepEqual([made.time, made.host], [Number("1736936430.123456789"), "node-1"]);
    const early: { time: number } = bodyOf(splunk, settings, sampleAlert({ time: "1969-12-31T23:59:59.5Z" }));
    assert.equal(early.time, 0);
  });
});
