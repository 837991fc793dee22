import { join } from "node:path";
import type { ClientReadableStream } from "@grpc/grpc-js";

/** `resourceKinds`: only the keys count. */
export interface Selector {
  readonly nodeName: string;
  readonly resourceKinds: Readonly<Record<string, string>>;
}

/** As in metadata.proto; `meta` and `status` are JSON texts, a Delete has neither. */
export interface CollectorEvent {
  readonly reason: string;
  readonly uid: string;
  readonly kind: string;
  readonly meta?: string;
  readonly status?: string;
  readonly refs?: { readonly resources?: Readonly<Record<string, { readonly list?: readonly string[] }>> };
}

export interface CollectorClient {
  watch(selector: Selector): ClientReadableStream<CollectorEvent>;
  close(): void;
}

export const protoFile = join(import.meta.dirname, "metadata.proto");

/** A collector cuts those who ping more often than every five minutes. */
const keepaliveMs = 6 * 60_000;
const maxMessageBytes = 4 << 20;

/** `address` is `host:port`; `roots` is PEM, absent: without TLS. The libraries are loaded when a collector is asked for. */
export const openClient = async (address: string, roots: Buffer | undefined): Promise<CollectorClient> => {
  const [{ credentials, loadPackageDefinition }, { load }] = await Promise.all([
    import("@grpc/grpc-js"),
    import("@grpc/proto-loader"),
  ]);
  const { metadata } = loadPackageDefinition(await load(protoFile, { keepCase: true }));
  if (!metadata || !("Metadata" in metadata) || typeof metadata.Metadata !== "function")
    throw new Error("metadata.proto has no service Metadata");
  const secure = roots ? credentials.createSsl(roots) : credentials.createInsecure();
  const client = new metadata.Metadata(address, secure, {
    "grpc.keepalive_time_ms": keepaliveMs,
    "grpc.max_receive_message_length": maxMessageBytes,
  });
  return { watch: (selector) => client.Watch?.(selector), close: () => client.close() };
};
