import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { outputs } from "../../outputs/index.ts";
import { subjectOf } from "../../outputs/nats/index.ts";
import { mailOf } from "../../outputs/smtp/mail.ts";
import { cefOf } from "../../outputs/syslog/cef.ts";
import { alertTest } from "../../src/fields/condition.ts";
import { compileMatch, routeAlerts } from "../../src/pipeline/route.ts";
import { toOutputs } from "../../src/pipeline/walk.ts";
import { type Alert, rawEvent } from "../../src/sdk/alert.ts";
import { deliveryId } from "../../src/sdk/delivery-id.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";
import type { HttpCall } from "../../src/sdk/http.ts";
import { lineOf } from "../../src/sdk/line.ts";
import type { Output } from "../../src/sdk/output.ts";
import { compileBody, renderMessage } from "../../src/sdk/template/message.ts";
import { TemplateError } from "../../src/sdk/template/template.ts";
import { bulkAnswer } from "../fakes/answers.ts";
import { growingAlerts } from "../support/growing-alerts.ts";
import { staysLinear } from "../support/growth.ts";
import { context } from "../support/output-sends.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";

/** Bytes of the smallest alert. */
const n = 48_000;
type Work = (alert: Alert) => unknown;

const grows = (work: Work, make: (n: number) => Alert): Promise<void> =>
  staysLinear(
    work,
    (size) => {
      const alert = make(size);
      // The raw event's text belongs to intake, which has its own suite.
      rawEvent(alert);
      return alert;
    },
    n,
  );

/** Outputs with sockets of their own: what they make of an alert. */
const mappings: Readonly<Record<string, Work>> = {
  file: (alert) => [lineOf(alert, "json"), lineOf(alert, "text"), lineOf(alert, "output")],
  nats: (alert) => [subjectOf(alert, "falco.<priority>.<rule>"), deliveryId(alert)],
  smtp: mailOf,
  stdout: (alert) => lineOf(alert, "text"),
  syslog: cefOf,
  "aws.lambda": rawEvent,
  "aws.sqs": (alert) => [rawEvent(alert).replaceAll(/[\ufffe\uffff]/g, ""), deliveryId(alert)],
};

/** Settings that make an output do the most. */
const busy: Readonly<Record<string, object>> = {
  alertmanager: { annotatedfields: ["*a*a*a*b", "f1*"] },
  datadog: { allfields: true },
  elasticsearch: { flattenfields: true },
  loki: { extralabels: "f1,f2,list,deep" },
  splunk: { alerttime: true },
};
const template =
  "{{ range $k, $v := .OutputFields }}{{ $k }}={{ printf `%.40q` $v }} {{ len $.Output }} {{ end }}{{ range .Tags }}{{ html . }}{{ end }}{{ printf .Rule }}{{ .Output }}";

const workOf = async (output: Output): Promise<Work> => {
  const own = mappings[output.name];
  if (own) return own;
  const templated = "messageformat" in output.fields ? { messageformat: template } : {};
  const config = configOf(output, { ...output.example, ...busy[output.name], ...templated });
  if ("request" in output) return (alert) => output.request([alert], config, context);
  const http: HttpCall = async ({ url, body }) => {
    const text = url.endsWith("/_bulk") ? (bulkAnswer(String(body)).body ?? "") : "ok";
    return { status: 200, headers: {}, body: text };
  };
  const sender = await openSender(
    output,
    config,
    testHost(http, () => context.now),
  );
  return (alert) => sender.send([alert], AbortSignal.timeout(60_000));
};

/** A template that is told to stop has not gone on. */
const stopped =
  (work: Work): Work =>
  (alert) => {
    try {
      return work(alert);
    } catch (error) {
      if (error instanceof TemplateError || error instanceof DeliveryError) return undefined;
      throw error;
    }
  };

describe("the work that an alert makes grows with its size", () => {
  for (const output of outputs)
    it(`in ${output.name}`, async (t) => {
      const work = await workOf(output);
      await work(growingAlerts["many short fields"]!(1000));
      for (const [shape, make] of Object.entries(growingAlerts)) await t.test(shape, () => grows(work, make));
    });

  it("in templates", async (t) => {
    const body = compileBody("{{ range .Tags }}{{ slice $.Output 1 }}{{ index $.Output 3 }}{{ end }}{{ json . }}");
    const works: Readonly<Record<string, Work>> = {
      "of a message": (alert) => renderMessage(template, alert),
      "of a body": (alert) => body(alert),
    };
    for (const [name, work] of Object.entries(works))
      for (const [shape, make] of Object.entries(growingAlerts))
        await t.test(`${name}: ${shape}`, () => grows(stopped(work), make));
  });

  it("in routing", async (t) => {
    const never = () => false;
    const routes = ["*a*a*a*a*a*b", "*?*?*?*?*c", "a*", "*"].map((rule) => ({
      id: rule,
      takes: compileMatch({ rules: [rule], minimumpriority: "Debug" }, () => never),
    }));
    for (const [shape, make] of Object.entries(growingAlerts))
      await t.test(shape, () => grows((alert) => toOutputs({ id: "c", at: 0 }, routeAlerts([alert], routes)), make));
  });

  it("in conditions", async (t) => {
    const takes = alertTest(
      [
        'alert.rule glob "*a*a*a*b"',
        'alert.output regex "(a+)+b|([<&]+ ?)+x"',
        'alert.output icontains "aaab"',
        'alert.rule iglob "*[[]*<*x"',
        "alert.tags intersects (t0x, t1x)",
        'alert.source startswith "aaaaab" or alert.output endswith "b"',
        "alert.hostname in (a, b)",
      ].join(" or "),
    );
    for (const [shape, make] of Object.entries(growingAlerts)) await t.test(shape, () => grows(takes, make));
  });

  it("knows an output for each mapping that is written down here", () => {
    const names = new Set(outputs.map(({ name }) => name));
    for (const name of Object.keys({ ...mappings, ...busy })) assert.ok(names.has(name), name);
  });
});
