/** A collector that tells of as many pods twice, with an end in between: `enrich-collector.ts PODS`. Its address is its first line. */
import { startMetacollector } from "../test/fakes/metacollector.ts";
import { eventsOf } from "./enrich-cluster.ts";

const events = [...eventsOf(Number(process.argv[2]))];
const collector = await startMetacollector([{ events, ends: "finished" }, { events }]);
console.log(collector.address, events.length);
