/**
 * What reading audit events costs, as a multiple of JSON.parse of the same lines in the same run: from a line to an event
 * alone, with the fields that the default rules ask for, and with every field.
 *
 *   node bench/extract.ts [events.jsonl] [--runs 7]
 *
 * Without a file: the events of a recorded kube-apiserver (test/golden/k8saudit/kube-posts).
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { auditFields } from "../src/audit/catalog.ts";
import { splitPayload } from "../src/audit/payload.ts";
import { evtFields } from "../src/fields/evt.ts";
import { jsonFields } from "../src/fields/json.ts";
import { allWithoutArgument, type Chosen, chooseFields } from "../src/fields/select.ts";
import type { Field } from "../src/sdk/catalog.ts";
import { type JsonEvent, openEvent } from "../src/sdk/json-event.ts";
import { recordedLines } from "./recorded-posts.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "7" } },
});

const limits = { maxEventBytes: 1 << 30 };

const lines = positionals[0] ? readFileSync(positionals[0], "utf8").trimEnd().split("\n") : recordedLines();

const fields: readonly Field<JsonEvent>[] = [
  ...auditFields.fields.values(),
  ...jsonFields,
  ...evtFields<JsonEvent>({ pluginName: "k8saudit", offsetMinutes: () => 0 }),
];

/** What the conditions of Falco's k8saudit rules ask for. */
const ruleFields =
  "jevt.value[/stage] jevt.rawtime ka.user.name ka.verb ka.uri ka.auth.decision ka.response.code ka.target.resource ka.target.subresource ka.target.name ka.target.namespace ka.req.pod.containers.privileged ka.req.pod.initContainers.privileged ka.req.pod.ephemeralContainers.privileged ka.req.pod.containers.image.repository ka.req.volume.hostpath[/proc] ka.req.pod.volumes.hostpath ka.req.pod.host_network ka.req.pod.host_pid ka.req.pod.host_ipc ka.req.service.type ka.req.configmap.obj ka.req.binding.role ka.req.role.rules.resources ka.req.role.rules.verbs jevt.value[/requestObject/spec/tls]".split(
    " ",
  );

const chosen = chooseFields(ruleFields, fields);
if ("fault" in chosen) throw new Error(chosen.fault);

const parseAnd = (asked: Chosen) => (line: string) => {
  for (const incoming of splitPayload(line, limits).events) {
    const event = openEvent(incoming, 1, 0);
    for (const read of asked.values()) read(event);
  }
};

const cases: Readonly<Record<string, (line: string) => void>> = {
  "JSON.parse": (line) => void JSON.parse(line),
  "line to event": parseAnd(new Map()),
  [`with the ${chosen.size} fields of the default rules`]: parseAnd(chosen),
  "with every field": parseAnd(allWithoutArgument(fields)),
};

const cpuMs = (work: () => void): number => {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};

const best = new Map<string, number>();
for (let run = 0; run < Number(values.runs); run++) {
  for (const [name, one] of Object.entries(cases)) {
    const ms = cpuMs(() => lines.forEach(one));
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, ms));
  }
}

const base = best.get("JSON.parse") ?? 1;
const bytes = lines.reduce((sum, line) => sum + line.length, 0);
console.log(`${lines.length} events, ${Math.round(bytes / lines.length)} characters each on average\n`);
console.log("events per CPU second   times JSON.parse");
for (const [name, ms] of best) {
  const perSecond = Math.round((lines.length / ms) * 1000).toLocaleString("en");
  console.log(`${perSecond.padStart(21)}   ${(ms / base).toFixed(2).padStart(16)}   ${name}`);
}
