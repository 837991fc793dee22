import { setImmediate } from "node:timers/promises";
import { type Alert, rawEvent } from "../../src/sdk/alert.ts";
import { deliveryId } from "../../src/sdk/delivery-id.ts";
import { type AlertFault, failures } from "../../src/sdk/failures.ts";
import { flag, text } from "../../src/sdk/fields.ts";
import { defineOutput } from "../../src/sdk/output.ts";
import { connectNats, natsFields, natsUrls, until, watchConnection } from "./connection.ts";
import { alertFault, natsError, natsMessage, tooLargeForNats } from "./fault.ts";

const defaultSubject = "falco.<priority>.<rule>";

export default defineOutput({
  name: "nats",
  display: "NATS",
  category: "queue",
  about: "NATS: the raw event, published to a subject made of priority and rule.",
  fields: {
    ...natsFields,
    subjecttemplate: text("Subject; <priority> and <rule> are replaced.", defaultSubject),
    jetstream: flag("Publish to JetStream and wait until the stream has stored each alert."),
  },
  example: { hostport: "nats://127.0.0.1:4222", subjecttemplate: defaultSubject },
  batch: { items: 500, bytes: 1_048_576 },
  direct: ({ hostport }) => natsUrls(hostport).map(({ host }) => host),
  enabled: (config) => config.hostport !== "",
  check: ({ subjecttemplate }) =>
    /^[^\s*>]*$/.test(subjecttemplate.replaceAll(/<(priority|rule)>/g, ""))
      ? []
      : ["subjecttemplate: holds a blank, `*` or `>`, which no subject may"],
  open: async (config, host, signal) => {
    const nats = await import("@nats-io/transport-node");
    const connection = await connectNats(nats, config, host.tls, signal).catch((error) => {
      throw natsError(error);
    });
    const js = config.jetstream ? (await import("@nats-io/jetstream")).jetstream(connection) : undefined;
    const watch = watchConnection(connection);
    return {
      send: async (alerts, signal) => {
        const faults = new Map<number, AlertFault>();
        const subjects = alerts.map((alert) => subjectOf(alert, config.subjecttemplate || defaultSubject));
        const tell = (error: Error) => {
          const one = error instanceof nats.PermissionViolationError ? error.subject : undefined;
          for (const [i, subject] of subjects.entries())
            if (one === undefined || one === subject) faults.set(i, alertFault(i, error));
        };
        const publish = async (alert: Alert, i: number) => {
          const body = rawEvent(alert);
          if (Buffer.byteLength(body) + 200 > (connection.info?.max_payload ?? 1e9)) throw tooLargeForNats();
          const headers = connection.info?.headers ? nats.headers() : undefined;
          const id = deliveryId(alert);
          headers?.set("Nats-Msg-Id", id);
          if (js) await js.publish(subjects[i] ?? "", body, { msgID: id, timeout: 60_000 });
          else connection.publish(subjects[i] ?? "", body, headers && { headers });
        };
        const work = async () => {
          await Promise.all(
            alerts.map((alert, i) => publish(alert, i).catch((error) => void faults.set(i, alertFault(i, error)))),
          );
          await connection.flush();
          await setImmediate();
        };
        const { promise: over, reject } = Promise.withResolvers<never>();
        const unwatch = watch({
          error: tell,
          closed: (error) => reject(error ?? new nats.errors.ClosedConnectionError()),
        });
        await until(Promise.race([work(), over]), signal)
          .catch((error) => {
            throw natsError(error);
          })
          .finally(unwatch);
        failures([...faults.values()], natsMessage);
      },
      close: () => connection.close(),
    };
  },
});

/** Lower case, everything but letters of the alphabet and digits as single `_`. */
const slug = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_|_$/g, "")
    .slice(0, longestSlug) || "unnamed";

/** A server takes 4 KB for subject and header lengths together, and closes the connection for more. */
const longestSlug = 255;

export const subjectOf = (alert: Alert, template: string): string =>
  template.replaceAll("<priority>", alert.priority.toLowerCase()).replaceAll("<rule>", slug(alert.rule));
