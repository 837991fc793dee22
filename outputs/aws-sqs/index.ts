import { type Alert, rawEvent } from "../../src/sdk/alert.ts";
import { awsFields, awsOptions, checkIdentity, failAws } from "../../src/sdk/aws.ts";
import { deliveryId } from "../../src/sdk/delivery-id.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";
import { failures } from "../../src/sdk/failures.ts";
import { url } from "../../src/sdk/fields.ts";
import { defineOutput } from "../../src/sdk/output.ts";
import { hostOf, refusedMessages, regionOf } from "./queue.ts";

export default defineOutput({
  name: "aws.sqs",
  label: "awssqs",
  display: "AWSSQS",
  category: "queue",
  about: "Amazon SQS: the raw event, one message per alert.",
  fields: { ...awsFields, url: url("URL of the queue.", { assumed: "https" }) },
  example: { url: "http://127.0.0.1:4566/000000000000/falco", region: "us-east-1" },
  batch: { items: 10, bytes: 240_000 },
  enabled: (config) => config.url !== "",
  open: async (config, host) => {
    const { SendMessageBatchCommand, SendMessageCommand, SQSClient } = await import("@aws-sdk/client-sqs");
    const region = regionOf(config.url) ?? config.region;
    const options = awsOptions({ ...config, region }, host, await import("@aws-sdk/credential-providers"));
    const client = new SQSClient({ ...options, useQueueUrlAsEndpoint: false });
    const toQueue = hostOf(config.url);
    client.middlewareStack.add(
      (next) => (args) => {
        if (!config.endpoint) toQueue(args.request as object);
        return next(args);
      },
      { step: "build", name: "queueHost" },
    );
    return {
      start: checkIdentity(config, options),
      send: async (alerts, signal) => {
        const [first] = alerts;
        const told = { abortSignal: signal };
        if (alerts.length === 1) {
          if (Buffer.byteLength(rawEvent(first)) > longest)
            throw new DeliveryError("above what SQS takes", { reason: "too_large", retryable: false });
          const command = new SendMessageCommand({ QueueUrl: config.url, ...messageOf(first, config.url) });
          await client.send(command, told).catch(failAws);
          return;
        }
        const Entries = alerts.map((alert, i) => ({ Id: String(i), ...messageOf(alert, config.url) }));
        const reply = await client
          .send(new SendMessageBatchCommand({ QueueUrl: config.url, Entries }), told)
          .catch(failAws);
        const refused = reply.Failed ?? [];
        const known = new Set([...refused, ...(reply.Successful ?? [])].map(({ Id }) => Id));
        if (known.size !== alerts.length)
          throw new DeliveryError("SQS does not answer for every message", { reason: "bad_reply", retryable: true });
        failures(refusedMessages(refused), (_, count) => `SQS refused ${count} of the messages`);
      },
      close: async () => client.destroy(),
    };
  },
});

/** Bytes of a message; what is above 256 KiB needs a queue that allows it. */
const longest = 1_048_576;

/** A queue in order keeps each rule's alerts in order, and drops repetitions. */
const messageOf = (alert: Alert, queue: string) => ({
  // Of all that JSON text may hold, SQS refuses these two.
  MessageBody: rawEvent(alert).replaceAll(/[\ufffe\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`),
  ...(queue.endsWith(".fifo") && {
    MessageGroupId: alert.rule.replaceAll(/[^A-Za-z0-9_.-]/g, "_").slice(0, 128) || "_",
    MessageDeduplicationId: deliveryId(alert),
  }),
});
