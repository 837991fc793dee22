import { readLogs } from "./otlp-read.ts";

interface Sent {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: string | Uint8Array;
}

/** The body of a request as text; of Kafka's REST proxy with the JSON that each record's base64 holds in its place, of OTLP as JSON. */
export const readableBody = ({ headers = {}, body = "" }: Sent): string => {
  if (typeof body !== "string" && contentType(headers) === "application/x-protobuf") return readLogs(body);
  const text = typeof body === "string" ? body : Buffer.from(body).toString();
  return contentType(headers).startsWith("application/vnd.kafka.binary.")
    ? text.replaceAll(/(?<="value":)"([^"]*)"/g, (_, value) => Buffer.from(value, "base64").toString())
    : text;
};

const contentType = (headers: Readonly<Record<string, unknown>>): string =>
  String(Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type")?.[1]);
