import { goJson, rawEvent } from "../src/sdk/alert.ts";
import { type AlertFault, failures } from "../src/sdk/failures.ts";
import { int, url } from "../src/sdk/fields.ts";
import { defineHttpOutput } from "../src/sdk/output.ts";
import { wordsOf } from "../src/sdk/words.ts";

export default defineHttpOutput({
  name: "kafkarest",
  display: "KafkaRest",
  category: "queue",
  about: "Kafka through a REST proxy (Confluent's, Strimzi's bridge): raw events as records of a topic.",
  fields: {
    address: url("URL of the topic, ending in /topics/ and its name."),
    version: int("Version of the proxy's API, 1 or 2.", 2),
  },
  example: { address: "http://127.0.0.1:8082/topics/falco" },
  // As base64 within what a broker takes at once by default.
  batch: { items: 500, bytes: 700_000 },
  enabled: (config) => config.address !== "",
  warn: ({ version }) => (version === 1 || version === 2 ? [] : ["version: is neither 1 nor 2: 2 is used"]),
  request: (alerts, { address, version }) => ({
    url: address,
    headers: {
      "User-Agent": "Falcosidekick",
      "Content-Type": `application/vnd.kafka.binary.v${version === 1 ? 1 : 2}+json`,
    },
    body: goJson({ records: alerts.map((alert) => ({ value: Buffer.from(rawEvent(alert)).toString("base64") })) }),
    keep: 1_000_000,
  }),
  accept: (reply, alerts) =>
    failures(refusedRecords(reply.body, alerts.length), (_, count) => `${count} of the records were refused`),
});

/** Records that the answer names as refused; it has an offset or an error for each, in the order of the request. */
const refusedRecords = (body: string, sent: number): readonly AlertFault[] =>
  offsetsOf(body)
    .slice(0, sent)
    .flatMap((entry: unknown, index) => {
      if (typeof entry !== "object" || entry === null || !("error_code" in entry)) return [];
      const code = Number(entry.error_code ?? 0);
      if (code === 0) return [];
      const retryable = !isFinal(code);
      const said = wordsOf(JSON.stringify({ code: String(code), ...entry }));
      return [{ index, reason: retryable ? "server_error" : "client_error", retryable, said } as const];
    });

const offsetsOf = (body: string): readonly unknown[] => {
  try {
    const answer: { offsets?: unknown } | null = JSON.parse(body);
    return Array.isArray(answer?.offsets) ? answer.offsets : [];
  } catch {
    return []; // Any 2xx is delivered.
  }
};

/** Confluent's proxy: 1 cannot be tried again, 2 can. Strimzi's bridge has HTTP's numbers; the topic of a 404 may come. */
const isFinal = (code: number): boolean => code === 1 || code === 400 || code === 413 || code === 422;
