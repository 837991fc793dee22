import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { loadPackageDefinition, Server, ServerCredentials, type ServerWritableStream, status } from "@grpc/grpc-js";
import { load } from "@grpc/proto-loader";
import { type CollectorEvent, protoFile, type Selector } from "../../src/pipeline/enrich/collector/client.ts";

/** What a collector says on one Watch, and how the stream ends; without an end it stays open. */
export interface Telling {
  readonly events: readonly CollectorEvent[];
  readonly ends?: "dropped" | "finished";
}

export interface Metacollector {
  readonly address: string;
  /** What was asked for, in order. */
  readonly asked: readonly Selector[];
  /** Says more on the streams that are open. */
  say(events: readonly CollectorEvent[]): void;
  open(): number;
  close(): void;
}

/** A collector that says one telling after another, the last one to whoever comes later, too. With a key it speaks TLS. */
export const startMetacollector = async (
  tellings: readonly Telling[],
  tls?: { readonly key: string; readonly cert: string },
): Promise<Metacollector> => {
  const asked: Selector[] = [];
  const streams = new Set<ServerWritableStream<Selector, CollectorEvent>>();
  const { metadata } = loadPackageDefinition(await load(protoFile, { keepCase: true })) as never as {
    metadata: { Metadata: { service: never } };
  };
  const server = new Server();
  server.addService(metadata.Metadata.service, {
    Watch: (call: ServerWritableStream<Selector, CollectorEvent>) => {
      const telling = tellings[Math.min(asked.length, tellings.length - 1)];
      asked.push(call.request);
      streams.add(call);
      call.on("cancelled", () => streams.delete(call));
      for (const event of telling?.events ?? []) call.write(event);
      if (telling?.ends === undefined) return;
      streams.delete(call);
      if (telling.ends === "finished") call.end();
      else call.emit("error", Object.assign(new Error("gone"), { code: status.UNAVAILABLE, details: "gone" }));
    },
  });
  const credentials = tls
    ? ServerCredentials.createSsl(null, [{ private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) }])
    : ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  return {
    address: `127.0.0.1:${port}`,
    asked,
    say: (events) => {
      for (const stream of streams) for (const event of events) stream.write(event);
    },
    open: () => streams.size,
    close: () => server.forceShutdown(),
  };
};

/** A recording of a real collector in test/golden/metacollector: one telling per stream that brought something. */
export const recorded = (name: string): readonly Telling[] => {
  const file = new URL(`../golden/metacollector/${name}.jsonl.gz`, import.meta.url);
  const tellings: { events: CollectorEvent[]; ends?: "dropped" }[] = [];
  for (const line of gunzipSync(readFileSync(file)).toString().trimEnd().split("\n")) {
    const { subscribe, event, status: ended } = JSON.parse(line);
    if (subscribe !== undefined) tellings.push({ events: [] });
    if (event !== undefined) tellings.at(-1)?.events.push(event);
    if (ended !== undefined) Object.assign(tellings.at(-1) ?? {}, { ends: "dropped" });
  }
  return tellings.filter(({ events }) => events.length > 0);
};
