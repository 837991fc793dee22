/** What a chunk's body says, beside its text: whoever reads it in the process that wrote it need not parse it again. */

/** How bodies of a kind are written and read; one value for all who write and read them. */
export interface Codec<T> {
  encode(value: T): string;
  /** Throws when the body is damaged. */
  decode(body: string): T;
}

/** What a codec wrote, or would read. */
export interface Decoded<T> {
  readonly codec: Codec<T>;
  readonly value: T;
}

const isOf = <T>(decoded: Decoded<unknown> | undefined, codec: Codec<T>): decoded is Decoded<T> =>
  decoded?.codec === codec;

/** What the body says: as it was written in this process, if it was and by this codec, else decoded. Throws as the codec. */
export const read = <T>(chunk: { readonly body: string; readonly decoded?: Decoded<unknown> }, codec: Codec<T>): T =>
  isOf(chunk.decoded, codec) ? chunk.decoded.value : codec.decode(chunk.body);
