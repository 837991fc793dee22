import { awsFault, awsWords } from "../../src/sdk/aws.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";

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

/** Throws for the messages of a batch that were refused. */
export const settle = (refused: readonly Refused[]): void => {
  if (refused.length === 0) return;
  const dead = refused.filter(({ Code, SenderFault }) => SenderFault && awsFault({ name: Code }).reason === "network");
  const failed = refused.map(({ Id }) => Number(Id));
  const retryable = dead.length < refused.length;
  throw new DeliveryError(
    `SQS refused ${failed.length} of the messages`,
    { reason: "partial", retryable, failed, dead: dead.map(({ Id }) => Number(Id)) },
    new Map(refused.map(({ Id, Code, Message }) => [Number(Id), awsWords([Code, Message].filter(Boolean).join(": "))])),
  );
};
