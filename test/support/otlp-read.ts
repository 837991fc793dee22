/** Log records of OTLP, read from Protocol Buffers into the JSON that falcosidekick's were recorded in. */

type Kind = "text" | "fixed64" | "severity" | Message;
interface Message {
  readonly [field: number]: readonly [name: string, kind: Kind, many?: "many"];
}

const attribute: Message = { 1: ["key", "text"], 2: ["value", { 1: ["stringValue", "text"] }] };
const logRecord: Message = {
  1: ["timeUnixNano", "fixed64"],
  2: ["severityNumber", "severity"],
  3: ["severityText", "text"],
  5: ["body", { 1: ["stringValue", "text"] }],
  6: ["attributes", attribute, "many"],
  11: ["observedTimeUnixNano", "fixed64"],
};
const scopeLogs: Message = { 1: ["scope", { 1: ["name", "text"] }], 2: ["logRecords", logRecord, "many"] };
const resourceLogs: Message = {
  1: ["resource", { 1: ["attributes", attribute, "many"] }],
  2: ["scopeLogs", scopeLogs, "many"],
  3: ["schemaUrl", "text"],
};
const request: Message = { 1: ["resourceLogs", resourceLogs, "many"] };

const varintAt = (bytes: Buffer, at: number): { value: number; next: number } => {
  let value = 0;
  for (let i = at, factor = 1; ; i += 1, factor *= 128) {
    const byte = bytes.readUInt8(i);
    value += (byte % 128) * factor;
    if (byte < 128) return { value, next: i + 1 };
  }
};

const read = (bytes: Buffer, message: Message): Record<string, unknown> => {
  const found: Record<string, unknown> = {};
  for (let at = 0; at < bytes.length; ) {
    const { value: tag, next } = varintAt(bytes, at);
    const field = message[Math.floor(tag / 8)];
    if (!field) throw new Error(`field ${tag} is not known`);
    const [name, kind, many] = field;
    let value: unknown;
    if (tag % 8 === 1) {
      value = String(bytes.readBigUInt64LE(next));
      at = next + 8;
    } else {
      const { value: number, next: start } = varintAt(bytes, next);
      at = tag % 8 === 2 ? start + number : start;
      const part = bytes.subarray(start, at);
      if (typeof kind === "object") value = read(part, kind);
      else value = kind === "text" ? part.toString() : number;
    }
    if (many) found[name] = [...((found[name] as unknown[] | undefined) ?? []), value];
    else found[name] = value;
  }
  return found;
};

/** The request as JSON text. */
export const readLogs = (body: Uint8Array): string => JSON.stringify(read(Buffer.from(body), request));
