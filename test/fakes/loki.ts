import { parseTime } from "../../src/sdk/rfc3339.ts";
import { openHttpSink } from "./http-sink.ts";

interface Push {
  readonly streams: readonly {
    readonly stream: Readonly<Record<string, string>>;
    readonly values: readonly [string, string][];
  }[];
}

const hourNs = 3_600_000_000_000n;
const second = 1_000_000_000n;
const rfc3339 = (ns: bigint) => new Date(Number(ns / 1_000_000n)).toISOString().replace(/\.\d+/, "");
const goText = (ns: bigint) =>
  `${rfc3339(ns).replace("T", " ").replace("Z", "")}.${String(ns % second).padStart(9, "0")} +0000 UTC`;

/** A Loki that keeps what is less than an hour behind its stream, and tells of the rest as the real one does: of one stream, ten at most. */
export const openLoki = async () => {
  const sink = await openHttpSink();
  const newest = new Map<string, bigint>();
  /** Lines as they were kept, in the order in which they came; the number of pushes of each line. */
  const kept: string[] = [];
  const seen = new Map<string, number>();
  let down = false;

  const push = (body: string): string | undefined => {
    let told: string | undefined;
    for (const { stream, values } of (JSON.parse(body) as Push).streams) {
      const name = `{${Object.entries({ ...stream, service_name: "unknown_service" })
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .toSorted()
        .join(", ")}}`;
      const refused: bigint[] = [];
      let oldest = 0n;
      for (const [text, line] of values) {
        const ns = BigInt(text);
        const top = newest.get(name) ?? 0n;
        seen.set(line, (seen.get(line) ?? 0) + 1);
        if (ns < top - hourNs) {
          refused.push(ns);
          oldest = top - hourNs;
          continue;
        }
        if (ns > top) newest.set(name, ns);
        if (seen.get(line) === 1) kept.push(line);
      }
      if (refused.length === 0) continue;
      const lines = refused
        .slice(0, 10)
        .map(
          (ns) =>
            `entry with timestamp ${goText(ns)} ignored, reason: 'entry too far behind, entry timestamp is: ${rfc3339(ns)}, oldest acceptable timestamp is: ${rfc3339(oldest)}',\n`,
        );
      told = `${lines.join("")}user 'fake', total ignored: ${refused.length} out of ${values.length} for stream: ${name}`;
    }
    return told;
  };
  sink.always(({ body }) => {
    if (down) return { status: 503, delayMs: 1 };
    const told = push(body);
    return told === undefined ? { status: 204, body: "", delayMs: 1 } : { status: 400, body: told, delayMs: 1 };
  });
  return {
    url: sink.url,
    kept,
    seen,
    mostInFlight: sink.mostInFlight,
    count: sink.count,
    /** 503 for everything while it is. */
    down: (is: boolean) => {
      down = is;
    },
    /** As if a stream of these labels had an entry of this time. */
    advance: (labels: Readonly<Record<string, string>>, time: string) => {
      const { seconds = 0 } = parseTime(time) ?? {};
      push(
        JSON.stringify({ streams: [{ stream: labels, values: [[String(BigInt(seconds) * second), `at ${time}`]] }] }),
      );
    },
    close: sink.close,
  };
};
