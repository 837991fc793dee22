import assert from "node:assert/strict";
import { describe, it } from "node:test";
import cliq from "../../outputs/cliq.ts";
import cloudevents from "../../outputs/cloudevents.ts";
import googlechat from "../../outputs/googlechat.ts";
import telegram from "../../outputs/telegram.ts";
import webex from "../../outputs/webex.ts";
import type { Alert } from "../../src/sdk/alert.ts";
import type { DeliveryError } from "../../src/sdk/errors.ts";
import type { Output } from "../../src/sdk/output.ts";
import type { Answer } from "../fakes/http-sink.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { send } from "../support/output-sends.ts";

const sent = (output: Output, alert: Alert, more: object = {}, answer: Answer = { status: 200 }) =>
  send(
    output,
    (url) => ({
      ...(JSON.parse(JSON.stringify(output.example).replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, url)) as object),
      ...more,
    }),
    [alert],
    () => answer,
  );
const bodyOf = async (output: Output, alert: Alert, more: object = {}) => {
  const { received, fault } = await sent(output, alert, more);
  assert.equal(fault, undefined);
  return received[0]!.body;
};

const many = (count: number, value: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`field.${i}`, value]));
const alerts = {
  "long text": sampleAlert({ output: "é😀".repeat(60_000), rule: "r".repeat(60_000) }),
  "text of nothing but markup": sampleAlert({ output: "[_*](".repeat(10_000), rule: "_".repeat(10_000) }),
  "many fields": sampleAlert({ output_fields: many(3000, "v".repeat(100)) }),
  "long fields": sampleAlert({ output_fields: many(40, "é".repeat(20_000)) }),
  "many tags": sampleAlert({ tags: Array.from({ length: 3000 }, (_, i) => `tag-${i}`) }),
  "long names": sampleAlert({ output_fields: { ["n".repeat(20_000)]: "v" }, hostname: "h".repeat(20_000) }),
};

describe("what a messenger would refuse is fitted", () => {
  for (const [name, alert] of Object.entries(alerts)) {
    it(`telegram: ${name}`, async () => {
      const { text } = JSON.parse(await bodyOf(telegram, alert)) as { text: string };
      const read = text.replaceAll(/\\(.)/gs, "$1");
      assert.ok(read.length <= 4096, String(read.length));
      // Markup that is the alert's is escaped; the hub's is paired.
      assert.equal(text.replaceAll(/\\./gs, "").split("*").length % 2, 1);
      assert.match(read, /\*Priority|\[Falco\]/);
    });

    it(`webex: ${name}`, async () => {
      const { markdown } = JSON.parse(await bodyOf(webex, alert)) as { markdown: string };
      assert.ok(Buffer.byteLength(markdown) <= 7439, String(Buffer.byteLength(markdown)));
    });

    it(`cliq: ${name}`, async () => {
      type Slide = { data: { rows: { field: string; value: string }[] } };
      const made = JSON.parse(await bodyOf(cliq, alert, { useemoji: true })) as { text: string; slides: [Slide] };
      const { rows } = made.slides[0].data;
      assert.ok(made.text.length <= 5000);
      assert.ok(rows.length <= 100);
      assert.equal(rows.at(-1)?.field, "time");
    });

    for (const cardsv2 of [false, true])
      it(`googlechat, ${cardsv2 ? "cards v2" : "cards v1"}: ${name}`, async () => {
        const body = await bodyOf(googlechat, alert, { cardsv2, messageformat: "{{ .Output }}" });
        assert.ok(Buffer.byteLength(body) <= 32_000, String(Buffer.byteLength(body)));
        assert.ok(body.split("topLabel").length - 1 <= 100);
      });
  }
});

describe("Google Chat's current cards", () => {
  it("hold the rows that the older ones hold", async () => {
    const alert = sampleAlert();
    const old = JSON.parse(await bodyOf(googlechat, alert)) as {
      cards: [{ sections: [{ widgets: { keyValue: { topLabel: string; content: string } }[] }] }];
    };
    const current = JSON.parse(await bodyOf(googlechat, alert, { cardsv2: true })) as {
      cardsV2: [{ card: { sections: [{ widgets: { decoratedText: { topLabel: string; text: string } }[] }] } }];
    };
    assert.deepEqual(
      current.cardsV2[0].card.sections[0].widgets.map(({ decoratedText: { topLabel, text } }) => [topLabel, text]),
      old.cards[0].sections[0].widgets.map(({ keyValue: { topLabel, content } }) => [topLabel, content]),
    );
  });
});

describe("a messenger's own throttle", () => {
  const faultOf = async (output: Output, answer: Answer): Promise<DeliveryError["fault"] | undefined> =>
    (await sent(output, sampleAlert(), {}, answer)).fault;

  it("of Telegram says in the body how long to wait", async () => {
    const body = '{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":31}}';
    const fault = await faultOf(telegram, { status: 429, body });
    assert.deepEqual([fault?.reason, fault?.retryable, fault?.retryAfterMs], ["rate_limited", true, 31_000]);
  });

  it("of Cliq answers 400", async () => {
    const body = '{"code":"request_limit_exceeded","message":"You have exceeded the URL throttle limits."}';
    assert.equal((await faultOf(cliq, { status: 400, body }))?.reason, "rate_limited");
    assert.equal((await faultOf(cliq, { status: 400, body: "{}" }))?.reason, "client_error");
  });
});

describe("attributes of CloudEvents", () => {
  it("are escaped as the HTTP binding asks, blanks within kept", async () => {
    const alert = sampleAlert({ rule: ' 100% "Règle" 規則 a b\r\nX-Evil: 1 ', hostname: "\u0000h" });
    const { received } = await sent(cloudevents, alert, { extensions: { cluster: "prod é" } });
    const { headers } = received[0]!;
    assert.equal(headers["ce-rule"], "%20100%25 %22R%C3%A8gle%22 %E8%A6%8F%E5%89%87 a b%0D%0AX-Evil: 1%20");
    assert.equal(decodeURIComponent(String(headers["ce-rule"])), alert.rule);
    assert.equal(headers["ce-hostname"], "%00h");
    assert.equal(headers["ce-cluster"], "prod %C3%A9");
    assert.equal(headers["x-evil"], undefined);
  });

  it("of a name that is none, or taken, are a fault of the configuration", () => {
    const faults = (extensions: Readonly<Record<string, string>>) =>
      cloudevents.check?.({ address: "http://127.0.0.1:8080", extensions });
    for (const name of ["bad-name", "Upper", "", "id", "rule"]) assert.equal(faults({ [name]: "v" })?.length, 1, name);
    assert.deepEqual(faults({ ok1: "v" }), []);
  });
});
