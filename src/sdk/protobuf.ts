/** Messages of Protocol Buffers, written: a message is the bytes of its fields, one after the other. */

/** A whole number from 0 to 2^53 as a varint. */
const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
};

/** A field of a number of the kinds int32, int64, enum and bool. */
export const numberField = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);

/** A field of kind fixed64. */
export const fixed64Field = (field: number, value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([varint(field * 8 + 1), bytes]);
};

/** A field of a text, or of a message within. */
export const bytesField = (field: number, value: string | readonly Uint8Array[]): Buffer => {
  const bytes = typeof value === "string" ? Buffer.from(value) : Buffer.concat(value);
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
};
