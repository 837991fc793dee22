import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import alertmanager from "../../outputs/alertmanager.ts";
import lambda from "../../outputs/aws-lambda.ts";
import sqs from "../../outputs/aws-sqs/index.ts";
import datadog from "../../outputs/datadog.ts";
import discord from "../../outputs/discord.ts";
import elasticsearch from "../../outputs/elasticsearch/index.ts";
import influxdb from "../../outputs/influxdb.ts";
import loki from "../../outputs/loki/index.ts";
import mattermost from "../../outputs/mattermost.ts";
import nats from "../../outputs/nats/index.ts";
import opsgenie from "../../outputs/opsgenie.ts";
import rocketchat from "../../outputs/rocketchat.ts";
import slack from "../../outputs/slack.ts";
import smtp from "../../outputs/smtp/index.ts";
import splunk from "../../outputs/splunk.ts";
import teams from "../../outputs/teams.ts";
import { createTextMask } from "../../src/log/mask.ts";
import type { Output } from "../../src/sdk/output.ts";
import { wordsOf } from "../../src/sdk/words.ts";
import { bulkAnswer } from "../fakes/answers.ts";
import { instanceOf, openRig } from "../fakes/delivery.ts";
import { type Answer, openSink, type Received } from "../fakes/http-sink.ts";
import { openNats } from "../fakes/nats.ts";
import { openSmtp } from "../fakes/smtp.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { configOf } from "../support/senders.ts";

const canary = "canary-91c7-canary";
const open: { close(): Promise<unknown> }[] = [];
after(() => Promise.all(open.map((one) => one.close())));

/** What people read of a refusal: the dead letter's reason and the destination's health, the same as in `send-test`. */
const toldBy = async (output: Output, settings: object, alerts = [sampleAlert()]) => {
  const config = configOf(output, settings as Record<string, unknown>);
  const rig = await openRig({ ...instanceOf(output), config }, undefined, createTextMask([canary]));
  const { dead = [] } = await rig.delivery.handle(rig.item(alerts));
  const failure = rig.delivery.state().lastFailure;
  await rig.delivery.close(0);
  const all = [...dead.map(({ why }) => why), failure?.message, ...rig.lines].join("\n");
  assert.doesNotMatch(all.replaceAll("\n", " "), /canary|[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
  assert.ok(all.length < 4000);
  return { why: dead.map(({ why }) => why), failure: failure?.message ?? "" };
};

const answering = async (answer: (request: Received) => Answer) => {
  const sink = await openSink(answer);
  open.push(sink);
  return sink.url;
};

const json = { "content-type": "application/json" };
const cases: readonly [Output, (url: string) => object, status: number, body: unknown, RegExp][] = [
  [slack, (webhookurl) => ({ webhookurl }), 400, "invalid_blocks", /HTTP 400: invalid_blocks$/],
  [
    mattermost,
    (webhookurl) => ({ webhookurl }),
    400,
    { id: "web.incoming", message: "Couldn't find the channel.", status_code: 400 },
    /: Couldn't find the channel\.$/,
  ],
  [rocketchat, (webhookurl) => ({ webhookurl }), 400, { success: false, error: "unknown_error" }, /: unknown_error$/],
  [
    discord,
    (webhookurl) => ({ webhookurl }),
    400,
    {
      message: "Invalid Form Body",
      code: 50035,
      errors: {
        embeds: {
          0: {
            fields: { 1: { value: { _errors: [{ code: "BASE_TYPE_REQUIRED", message: "This field is required" }] } } },
          },
        },
      },
    },
    /: code 50035: Invalid Form Body; embeds\.0\.fields\.1\.value: BASE_TYPE_REQUIRED: This field is required$/,
  ],
  [
    teams,
    (webhookurl) => ({ webhookurl }),
    400,
    { error: { code: "InvalidRequestContent", message: "The request content is not valid." } },
    /InvalidRequestContent: The request content is not valid/,
  ],
  [
    loki,
    (hostport) => ({ hostport }),
    400,
    "entry too far behind, oldest acceptable timestamp is: 2025-01-15T09:00:00Z\n",
    /: entry too far behind, oldest acceptable timestamp is: 2025-01-15T09:00:00Z$/,
  ],
  [
    splunk,
    (host) => ({ host, token: canary }),
    403,
    { text: "Invalid token", code: 4 },
    /HTTP 403: code 4: Invalid token$/,
  ],
  [
    opsgenie,
    (url) => ({ url, apikey: canary }),
    422,
    { message: "Request body is not processable.", took: 0.1, errors: { alias: "is too long" } },
    /: Request body is not processable\.; alias: is too long$/,
  ],
  [
    datadog,
    (host) => ({ host, apikey: canary }),
    403,
    { errors: ["Forbidden", `API key ${canary} is unknown`] },
    /: Forbidden; API key \*\*\* is unknown$/,
  ],
  [
    alertmanager,
    (url) => ({ hostport: [url] }),
    400,
    '"start time must be before end time"',
    /: start time must be before end time$/,
  ],
  [
    influxdb,
    (hostport) => ({ hostport }),
    400,
    {
      error:
        'partial write: field type conflict: input field "value" on measurement "events" is type string, already exists as type float dropped=1',
    },
    /input field "value" on measurement "events" is type string/,
  ],
  [
    elasticsearch,
    (hostport) => ({ hostport, username: "u", password: canary }),
    401,
    { error: { root_cause: [{}], type: "security_exception", reason: "unable to authenticate user [u]" }, status: 401 },
    /: security_exception: unable to authenticate user \[u\]$/,
  ],
];

describe("a destination's own words", () => {
  for (const [output, settings, status, body, expected] of cases)
    it(`${output.name}: ${status} with its reason`, async () => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const url = await answering(() => ({ status, body: text, headers: text.startsWith("{") ? json : {} }));
      const { why, failure } = await toldBy(output, settings(url));
      assert.match(why[0] ?? "", expected);
      assert.match(failure, expected);
    });

  it("pagerduty: the list of what is wrong", () => {
    const said = {
      status: "invalid event",
      message: "Event object is invalid",
      errors: ["Length of 'routing_key' is incorrect (should be 32 characters)"],
    };
    assert.equal(
      wordsOf(JSON.stringify(said)),
      "Event object is invalid; Length of 'routing_key' is incorrect (should be 32 characters)",
    );
  });

  it("elasticsearch: type, reason and field of each refused document, not its values", async () => {
    const refusals = [
      {
        status: 400,
        error: {
          type: "document_parsing_exception",
          reason: `[1:9] failed to parse field [hostname] of type [ip] in document with id 'x'. Preview of field's value: '${canary}'`,
        },
      },
      {
        status: 400,
        error: { type: "illegal_argument_exception", reason: "Limit of total fields [1000] has been exceeded" },
      },
    ];
    let n = 0;
    const url = await answering(({ body }) => bulkAnswer(body, () => refusals[n++ % 2]));
    const { why } = await toldBy(elasticsearch, { hostport: url }, [
      sampleAlert(),
      sampleAlert({ uuid: "5b9cf3b6-3f0f-4a3c-9c53-5f0f1d9d0002" }),
    ]);
    assert.deepEqual(why, [
      "invalid: document_parsing_exception: [1:9] failed to parse field [hostname] of type [ip]",
      "invalid: illegal_argument_exception: Limit of total fields [1000] has been exceeded",
    ]);
  });

  it("aws: name and message of the error; the signed request below it is not told", async () => {
    const message = `The request signature we calculated does not match.\n\nThe Canonical String was\n'POST\nx-amz-security-token:${canary}'`;
    const url = await answering(() => ({
      status: 403,
      headers: { ...json, "x-amzn-errortype": "InvalidSignatureException" },
      body: JSON.stringify({ __type: "InvalidSignatureException", message }),
    }));
    const keys = { region: "us-east-1", accesskeyid: "AKIAEXAMPLE", secretaccesskey: canary };
    const { failure } = await toldBy(sqs, { ...keys, url: `${url}/000000000000/falco` });
    assert.equal(
      failure,
      "AWS answered InvalidSignatureException: The request signature we calculated does not match.",
    );
  });

  it("aws.lambda: the function's own error", async () => {
    const url = await answering(() => ({
      status: 200,
      headers: { "x-amz-function-error": "Unhandled" },
      body: '{"errorMessage":"no table","errorType":"KeyError","trace":["a"]}',
    }));
    const { why } = await toldBy(lambda, {
      region: "us-east-1",
      accesskeyid: "AKIAEXAMPLE",
      secretaccesskey: "s3cret",
      endpoint: url,
      functionname: "falco",
    });
    assert.deepEqual(why, ["server_error: the function failed (Unhandled): KeyError: no table"]);
  });

  it("smtp: the logins that a server offers in place of the one that it refused, and its words", async () => {
    const server = await openSmtp({ login: () => "504 5.5.4 Unrecognized authentication type" });
    open.push(server);
    const to = { hostport: `127.0.0.1:${server.port}`, tls: false, from: "f@example.com", to: "t@example.com" };
    const { failure } = await toldBy(smtp, { ...to, authmechanism: "xoauth2", user: "u", token: canary });
    assert.equal(
      failure,
      "the mail server refused the login: it offers PLAIN, LOGIN, not XOAUTH2: 504 5.5.4 Unrecognized authentication type",
    );
  });

  it("smtp: not the login that a server repeats", async () => {
    const server = await openSmtp({ login: (line) => `535 5.7.8 failed: ${line}` });
    open.push(server);
    const to = { hostport: `127.0.0.1:${server.port}`, tls: false, from: "f@example.com", to: "t@example.com" };
    const { failure } = await toldBy(smtp, { ...to, user: "somebody", password: canary });
    assert.equal(failure, "the mail server refused the login: 535 5.7.8 failed: AUTH PLAIN ***");
  });

  it("nats: the subject that may not be published to", async () => {
    const server = await openNats({
      refuse: 'Permissions Violation for Publish to "falco.warning.terminal_shell_in_container"',
    });
    open.push(server);
    const { failure } = await toldBy(nats, { hostport: `nats://127.0.0.1:${server.port}` });
    assert.match(
      failure,
      /^NATS refused the user.*Permissions Violation for Publish to "falco\.warning\.terminal_shell_in_container"/,
    );
  });
});

describe("what a destination says is shown only", () => {
  const slackTold = async (body: string, path = "/x") => {
    const url = await answering(() => ({ status: 400, body }));
    return (await toldBy(slack, { webhookurl: url + path })).why[0] ?? "";
  };

  it("without what the hub sent: credentials, keys in the address, the alert", async () => {
    const url = await answering((request) => ({
      status: 400,
      body: `no access for ${request.headers.authorization} at ${request.path}`,
    }));
    const { why } = await toldBy(loki, { hostport: `${url}/T0KEN12345`, user: "u", apikey: "s3cret-key" });
    assert.equal(why[0], "client_error: HTTP 400: no access for *** at ***");
    assert.equal(
      (await toldBy(slack, { webhookurl: await answering(({ body }) => ({ status: 400, body })) })).why[0],
      "client_error: HTTP 400",
    );
  });

  it("in one line, without control and formatting characters", async () => {
    assert.equal(
      await slackTold("a\u0000b\u001b[31m\r\nforged\u202e line\u2028x"),
      "client_error: HTTP 400: a b [31m forged line x",
    );
  });

  it("at a bounded length, the end of it too, and never half of a secret", async () => {
    const why = await slackTold(`start ${"x".repeat(50_000)}${canary}${"y".repeat(50_000)} end`);
    assert.match(why, /^client_error: HTTP 400: start x+\.\.\./);
    assert.ok(why.length < 400);
    const cut = await slackTold(`${"x ".repeat(95)}${canary} ${"y".repeat(5000)}`);
    assert.doesNotMatch(cut, /cana|nary/);
  });

  for (const [name, body] of Object.entries({
    "a page": "<html><head><title>403 Forbidden</title><body>long</html>",
    "half a JSON value": '{"message":"no',
    "JSON as deep as it goes": `${'{"errors":'.repeat(6000)}`,
    "lists in lists": "[".repeat(60_000) + "]".repeat(60_000),
    "many members": JSON.stringify({
      errors: Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`f${i}`, "no"])),
    }),
  }))
    it(`from ${name} too`, async () => {
      assert.ok((await slackTold(body)).length < 400);
    });
});
