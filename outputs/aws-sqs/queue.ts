import { awsFault, awsWords } from "../../src/sdk/aws.ts";
import type { AlertFault } from "../../src/sdk/failures.ts";

/** The SDK's own choice when nothing else is configured. */
const standard = /^sqs(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|api\.aws)$/;

/** The region in the host of a queue at AWS. */
export const regionOf = (queue: string): string | undefined =>
  /^sqs\.([a-z0-9-]+)\.amazonaws\.com/.exec(URL.parse(queue)?.hostname ?? "")?.[1];

/**
 * Sends a request to the host in the queue's URL (a VPC endpoint, an emulator) where it would go to a region's own endpoint.
 * `AWS_ENDPOINT_URL` stays in force.
 */
export const hostOf = (queue: string): ((request: object & { hostname?: string }) => void) => {
  const { protocol, hostname, port } = new URL(queue);
  return (request) => {
    if (!standard.test(request.hostname ?? "")) return;
    Object.assign(request, { protocol, hostname, port: port ? Number(port) : undefined });
  };
};

interface Refused {
  readonly Id?: string | undefined;
  readonly Code?: string | undefined;
  readonly SenderFault?: boolean | undefined;
  readonly Message?: string | undefined;
}

/** The messages of a batch that were refused, as faults of their alerts: an `Id` is the alert's place. */
export const refusedMessages = (refused: readonly Refused[]): readonly AlertFault[] =>
  refused.map(({ Id, Code, SenderFault, Message }) => {
    const { reason, retryable } = awsFault({ name: Code });
    const known = reason !== "network";
    return {
      index: Number(Id),
      reason: known ? reason : SenderFault ? "client_error" : "server_error",
      retryable: known ? retryable : !SenderFault,
      said: awsWords([Code, Message].filter(Boolean).join(": ")),
    };
  });
