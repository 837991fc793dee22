interface Sent {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: string | Uint8Array;
}

/** The body of a request as text; of Kafka's REST proxy with the JSON that each record's base64 holds in its place. */
export const readableBody = ({ headers = {}, body = "" }: Sent): string => {
  const text = typeof body === "string" ? body : Buffer.from(body).toString();
  const [, type] = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type") ?? [];
  return String(type).startsWith("application/vnd.kafka.binary.")
    ? text.replaceAll(/(?<="value":)"([^"]*)"/g, (_, value) => Buffer.from(value, "base64").toString())
    : text;
};
