import assert from "node:assert/strict";
import { describe, it } from "node:test";
import lambda from "../../outputs/aws-lambda.ts";
import sqs from "../../outputs/aws-sqs/index.ts";
import { openHttp } from "../../src/deliver/http.ts";
import { rawEvent } from "../../src/sdk/alert.ts";
import { deliveryId } from "../../src/sdk/delivery-id.ts";
import { DeliveryError, type DeliveryFault } from "../../src/sdk/errors.ts";
import type { Alerts, Output } from "../../src/sdk/output.ts";
import { awsAnswer } from "../fakes/answers.ts";
import { type Answer, openSink, type Received } from "../fakes/http-sink.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { configOf, openSender, testHost } from "../support/senders.ts";

const canary = "canary-5d1f";
const keys = { region: "us-east-1", accesskeyid: "AKIAEXAMPLE", secretaccesskey: canary };
const settings = {
  "aws.sqs": (url: string, queue = "falco") => ({ ...keys, url: `${url}/000000000000/${queue}` }),
  "aws.lambda": (url: string) => ({ ...keys, endpoint: url, functionname: "falco" }),
} as const;

const send = async (
  output: Output,
  alerts: Alerts,
  answer: (request: Received) => Answer | undefined = (request) => awsAnswer(request),
  queue?: string,
) => {
  const sink = await openSink(answer);
  const http = openHttp({ rejectUnauthorized: true });
  let fault: DeliveryFault | undefined;
  try {
    const config = configOf(output, settings[output.name as keyof typeof settings](sink.url, queue));
    const sender = await openSender(output, config, testHost(http));
    try {
      await sender.send(alerts, AbortSignal.timeout(5000));
    } catch (error) {
      assert.ok(error instanceof DeliveryError, String(error));
      assert.doesNotMatch(`${error.message} ${error.stack} ${JSON.stringify(error.fault)}`, /canary|127\.0\.0\.1|AKIA/);
      fault = error.fault;
    }
    await sender.close?.();
  } finally {
    await http.close();
    await sink.close();
  }
  return { fault, received: sink.requests };
};

const errors: readonly [status: number, type: string, reason: string, retryable: boolean][] = [
  [400, "ThrottlingException", "rate_limited", true],
  [400, "RequestThrottled", "rate_limited", true],
  [429, "TooManyRequestsException", "rate_limited", true],
  [400, "ExpiredTokenException", "auth_error", true],
  [403, "AccessDeniedException", "auth_error", true],
  [404, "ResourceNotFoundException", "not_found", false],
  [400, "InvalidParameterValueException", "client_error", false],
  [413, "RequestTooLargeException", "too_large", false],
  [500, "InternalFailure", "server_error", true],
  [503, "ServiceUnavailable", "server_error", true],
];

for (const output of [sqs, lambda] as readonly Output[])
  describe(output.name, () => {
    for (const [status, type, reason, retryable] of errors)
      it(`takes ${type} with ${status} for ${reason}, after one attempt`, async () => {
        const body = JSON.stringify({ __type: type, message: canary });
        const headers = { "content-type": "application/json", "x-amzn-errortype": type };
        const { fault, received } = await send(output, [sampleAlert()], () => ({ status, headers, body }));
        assert.deepEqual([fault?.reason, fault?.retryable], [reason, retryable]);
        assert.equal(received.length, 1);
      });

    it("takes a connection that is cut off for a network fault", async () => {
      const { fault } = await send(output, [sampleAlert()], () => undefined);
      assert.deepEqual([fault?.reason, fault?.retryable], ["network", true]);
    });

    for (const [name, alert] of Object.entries(hostileAlerts))
      it(`delivers ${name}, or says that it is too large`, async () => {
        const { fault, received } = await send(output, [alert]);
        const large = output === sqs && Buffer.byteLength(rawEvent(alert)) > 1_048_576;
        assert.deepEqual(fault, large ? { reason: "too_large", retryable: false } : undefined);
        assert.equal(received.length, large ? 0 : 1);
      });
  });

describe("aws.sqs", () => {
  const ten = Array.from({ length: 10 }, (_, i) => sampleAlert({ output: `alert-${i}-` })) as unknown as Alerts;

  it("sends ten alerts in one request, and knows which were refused", async () => {
    const { fault, received } = await send(sqs, ten, (request) =>
      awsAnswer(request, (body) =>
        body.includes("alert-3-")
          ? { Code: "InvalidMessageContents", SenderFault: true }
          : body.includes("alert-7-")
            ? { Code: "InternalError", SenderFault: false }
            : undefined,
      ),
    );
    assert.equal(received.length, 1);
    assert.deepEqual(fault, { reason: "partial", retryable: true, failed: [3, 7], dead: [3] });
  });

  it("names group and deduplication id where the queue keeps an order", async () => {
    const { received } = await send(sqs, [sampleAlert()], undefined, "falco.fifo");
    const said = JSON.parse(received[0]!.body) as Record<string, string>;
    assert.equal(said.MessageGroupId, "Terminal_shell_in_container");
    assert.equal(said.MessageDeduplicationId, deliveryId(sampleAlert()));
  });
});

describe("aws.lambda", () => {
  it("does not count a function that failed as delivered", async () => {
    const { fault } = await send(lambda, [sampleAlert()], () => ({
      status: 200,
      headers: { "x-amz-function-error": "Unhandled" },
      body: '{"errorMessage":"no"}',
    }));
    assert.deepEqual([fault?.reason, fault?.retryable], ["server_error", false]);
  });
});
