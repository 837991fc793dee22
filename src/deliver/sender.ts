import type { Logger } from "pino";
import type { OutputInstance } from "../config/types.ts";
import { DeliveryError } from "../sdk/errors.ts";
import {
  type HttpCall,
  HttpRefusal,
  type HttpReply,
  type HttpRequest,
  jsonHeaders,
  mergeHeaders,
} from "../sdk/http.ts";
import type { Alerts, ClientOutput, HttpOutput, HubFacts, Sender } from "../sdk/output.ts";
import type { Clock } from "../time/clock.ts";
import { reopening } from "./client.ts";
import { failureOf, type Mask } from "./failure.ts";
import { timed } from "./timeout.ts";
import { clientTls } from "./tls.ts";

export interface SenderParts {
  readonly http: HttpCall;
  readonly log: Logger;
  readonly now: () => number;
  readonly clock: Clock;
  readonly hub: HubFacts;
  readonly mask: Mask;
  readonly omitted: (parts: number) => void;
}

/** Alerts of one request, and when the hub took each: milliseconds since the epoch. */
export interface Taken {
  readonly alerts: Alerts;
  readonly accepted: readonly number[];
}

export interface OpenSender {
  send(taken: Taken, signal: AbortSignal): Promise<void>;
  /** Opens a client before its first alert comes; failures are logged. */
  warm(): void;
  close(): Promise<void>;
}

/** An output of either kind as one function. */
export const openSender = (instance: OutputInstance, parts: SenderParts): OpenSender =>
  "request" in instance.output
    ? httpSender(instance.output, instance, parts)
    : clientSender(instance.output, instance, parts);

const httpSender = (output: HttpOutput, { config }: OutputInstance, parts: SenderParts): OpenSender => ({
  send: ({ alerts }, signal) => {
    const request = dressed(output.request(alerts, config, { now: parts.now(), hub: parts.hub }));
    return parts.http(request, signal).then(
      (reply) => {
        if (output.accept) accepted(() => output.accept?.(reply, alerts), reply);
      },
      (error) => {
        if (error instanceof HttpRefusal && output.refused)
          accepted(() => output.refused?.(error.reply, alerts, config), error.reply);
        throw error;
      },
    );
  },
  warm: () => {},
  close: async () => {},
});

/** Under the standard headers. */
const dressed = (request: HttpRequest): HttpRequest =>
  request.headers === jsonHeaders
    ? request
    : { ...request, headers: request.headers ? mergeHeaders(jsonHeaders, request.headers) : jsonHeaders };

/**
 * What the output reads in an answer, told with its status. One that is not what it reads (a portal's HTML with status
 * 200) is no proof of delivery.
 */
const accepted = (check: () => void, { status }: HttpReply): void => {
  try {
    check();
  } catch (error) {
    if (error instanceof DeliveryError) throw new DeliveryError(error.message, error.fault, error.said, status);
    if (!(error instanceof SyntaxError)) throw error;
    const unreadable = { reason: "bad_reply", retryable: true } as const;
    throw new DeliveryError(`HTTP ${status} with an unreadable answer`, unreadable, "", status);
  }
};

const clientSender = (output: ClientOutput, instance: OutputInstance, parts: SenderParts): OpenSender => {
  const { http, log, now, hub, clock, mask, omitted } = parts;
  const { timeoutMs } = instance.delivery;
  const tls = clientTls(instance.transport);
  let started = false;

  // The check at start may use half an attempt, so that a destination without it still gets its alerts.
  const start = timed(timeoutMs / 2, clock, async (sender: Sender, signal) => sender.start?.(signal));
  const client = reopening(async (signal) => {
    const sender = await output.open(instance.config, { http, log, now, tls, hub, omitted }, signal);
    if (!started) {
      try {
        await start(sender);
        started = true;
      } catch (error) {
        const { reason, message } = failureOf(error, mask);
        log.warn({ reason }, `check at start failed: ${message}`);
      }
    }
    return sender;
  });
  const open = timed(timeoutMs, clock, (_: undefined, signal) => client.use(async () => {}, signal));

  return {
    send: ({ alerts, accepted }, signal) => client.use((sender) => sender.send(alerts, signal, accepted), signal),
    warm: () => {
      open(undefined).catch((error) => {
        const { reason, message } = failureOf(error, mask);
        log.warn({ reason }, `cannot open yet: ${message}`);
      });
    },
    close: () => client.close(),
  };
};
