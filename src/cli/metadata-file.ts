import { createReadStream } from "node:fs";
import { linesOf } from "../audit/unzip.ts";
import { createRecorded } from "../pipeline/enrich/recorded.ts";
import type { KubeLookup } from "../sdk/kubernetes.ts";
import type { CommandIo } from "./command.ts";

/** More faults of a file than these are only counted. */
const namedFaults = 5;

/** `--metadata FILE`: the cluster that a recorded stream of a collector tells of (JSON lines, plain or gzip). Rejects when it cannot be read. */
export const readMetadata = async (file: string, io: CommandIo): Promise<KubeLookup> => {
  const recorded = createRecorded();
  let [number, faults] = [0, 0];
  for await (const line of linesOf(createReadStream(file))) {
    number++;
    if (line.length === 0) continue;
    const fault = recorded.take(line.toString());
    if (fault === undefined || ++faults > namedFaults) continue;
    io.stderr.write(`${file}:${number}: skipped: ${fault}\n`);
  }
  if (faults > namedFaults) io.stderr.write(`${file}: ${faults - namedFaults} more lines were skipped\n`);
  return recorded.lookup;
};
