import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import webhook from "../../outputs/webhook/index.ts";
import { signedHeaders } from "../../outputs/webhook/signature.ts";
import { loadConfig } from "../../src/config/load.ts";
import { goJson, rawEvent } from "../../src/sdk/alert.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";
import { compileMessage } from "../../src/sdk/template/message.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { context } from "../support/output-sends.ts";
import { configOf } from "../support/senders.ts";

describe("webhook", () => {
  const requestOf = (settings: object, alert = sampleAlert()) =>
    webhook.request([alert], configOf(webhook, { address: "http://127.0.0.1:1/x", ...settings }) as never, context);
  const problemsOf = (settings: object) =>
    loadConfig({
      file: "eyrie.yaml",
      read: () => JSON.stringify({ webhook: { address: "http://127.0.0.1:1/x", ...settings } }),
      env: {},
      outputs: [webhook],
      sources: [],
    }).problems.map(({ severity, key }) => `${severity} ${key}`);

  it("makes valid JSON of any alert by a template with json", () => {
    const body =
      '{"text":{{ json .Output }},"rule":{{ .Rule | json }},"level":{{ json .Priority }},"at":{{ json .Time }},"tags":{{ json .Tags }},"user":{{ json (index .OutputFields "user.name") }},"none":{{ json (index .OutputFields "none") }},"fields":{{ json .OutputFields }},"n":{{ len .Tags | json }},"all":{{ json . }}}';
    for (const alert of [sampleAlert(), ...Object.values(hostileAlerts)]) {
      const { body: text } = requestOf({ body }, alert);
      const made = JSON.parse(String(text)) as Record<string, unknown>;
      const event = JSON.parse(rawEvent(alert)) as Record<string, unknown>;
      assert.equal(goJson(made.all), goJson(event));
      assert.equal(made.text, event.output);
      assert.equal(made.rule, event.rule);
      assert.equal(made.level, event.priority);
      assert.equal(made.none, null);
      assert.equal(made.n, alert.tags.length);
      assert.equal(goJson(made.fields), goJson(event.output_fields));
      assert.deepEqual(made.tags, event.tags ?? []);
    }
    assert.equal(JSON.parse(String(requestOf({ body }).body)).at, "2025-01-15T10:20:30.123456789Z");
  });

  it("loses an alert that the template fails on to the dead letters, not to silence", () => {
    const body = "{{ index .Tags 99 }}";
    assert.throws(
      () => requestOf({ body }),
      (error) => error instanceof DeliveryError && error.fault.reason === "invalid" && !error.fault.retryable,
    );
  });

  it("refuses a template that does not parse, at start, and json outside of bodies", () => {
    assert.deepEqual(problemsOf({ body: "{{ json . }}" }), []);
    assert.deepEqual(problemsOf({ body: "{{ .Rule " }), ["warning webhook.body"]);
    assert.throws(() => compileMessage("{{ json . }}"), /function "json" not defined/);
  });

  it("signs the timestamp and the body with both secrets", () => {
    const { headers, body } = requestOf({ "signing.secret": "new", "signing.previoussecret": "old" });
    assert.equal(headers?.["X-Eyrie-Timestamp"], "1736942400");
    const expected = ["new", "old"].map(
      (secret) => `v1=${createHmac("sha256", secret).update(`1736942400.${body}`).digest("hex")}`,
    );
    assert.equal(headers?.["X-Eyrie-Signature"], expected.join(","));
    assert.equal(requestOf({ "signing.secret": "new" }).headers?.["X-Eyrie-Signature"], expected[0]);
    assert.equal(requestOf({}).headers?.["X-Eyrie-Signature"], undefined);
    const forged = requestOf({ "signing.secret": "new", customheaders: { "x-eyrie-signature": "v1=0" } }).headers;
    assert.deepEqual(
      Object.entries(forged ?? {}).filter(([name]) => /signature/i.test(name)),
      [["X-Eyrie-Signature", expected[0]]],
    );
  });

  it("signs a text known from elsewhere as others do", () => {
    assert.deepEqual(signedHeaders('{"a":"é"}', ["secret"], 1_700_000_000_999), {
      "X-Eyrie-Timestamp": "1700000000",
      "X-Eyrie-Signature": "v1=4e459d52df8a9a07f8f86c6bcb2219a2c857c20cf3ad60936d25fb51063d44a3",
    });
  });

  for (const [method, body, sent, warnings] of [
    ["PUT", "", "PUT", []],
    ["patch", "", "PATCH", []],
    ["Delete", "", "DELETE", []],
    ["GET", "", "POST", ["warning webhook.method"]],
    ["GET", "{}", "GET", []],
    ["BREW", "{}", "POST", ["warning webhook.method"]],
  ] as const)
    it(`sends ${sent} for ${method}${body && " with a body of its own"}`, () => {
      assert.equal(requestOf({ method, body }).method, sent);
      assert.deepEqual(problemsOf({ method, body }), warnings);
    });
});
