import assert from "node:assert/strict";
import { test } from "node:test";
import { aksLogs } from "../../../src/audit/convert/aks.ts";
import { gkeEvent } from "../../../src/audit/convert/gke.ts";
import { ovhPayload } from "../../../src/audit/convert/ovh.ts";
import { splitPayload } from "../../../src/audit/payload.ts";
import { auditEvent, golden } from "./support.ts";

const limits = { maxEventBytes: 262_144 };
/** Taken where the original takes nothing: decisions/audit-intake.md. */
const concatenated = new Set(["jsonl_two", "concatenated"]);
/** Without a stageTimestamp, and with another time that stands in for it. */
const otherTime = new Set(["beta_timestamp", "handmade/no_stageTimestamp"]);

const inputOf = (line: { input?: string; input_b64?: string }): string =>
  line.input ?? Buffer.from(line.input_b64 ?? "", "base64").toString();

test("every recorded payload becomes the recorded events, and as many drops as the original has errors", () => {
  for (const line of golden("split")) {
    if (concatenated.has(line.name) || otherTime.has(line.name)) continue;
    const { events, dropped } = splitPayload(inputOf(line), limits);
    const good = line.events.filter((e: { error?: string }) => e.error === undefined);
    assert.deepEqual(
      events.map(({ text, timeNs }) => [text, timeNs]),
      good.map((e: { payload?: string; payload_b64?: string; timestamp_ns: string }) => [
        e.payload ?? Buffer.from(e.payload_b64 ?? "", "base64").toString(),
        e.timestamp_ns,
      ]),
      line.name,
    );
    assert.equal(dropped.length, line.events.length - good.length + (line.error === undefined ? 0 : 1), line.name);
  }
});

test("a different split: values after each other are all taken", () => {
  for (const line of golden("split")) {
    if (!concatenated.has(line.name)) continue;
    const { events, dropped } = splitPayload(inputOf(line), limits);
    assert.deepEqual([events.length, dropped.length], [2, 0], line.name);
  }
});

test("every recorded event is accepted or refused as recorded, with its time", () => {
  for (const line of golden("extract")) {
    if (otherTime.has(line.name)) continue;
    const [event] = splitPayload(line.event, limits).events;
    assert.equal(event?.text, line.accepted ? line.payload : undefined, line.name);
    // The zero time stands for the time of arrival.
    const zero = line.name === "handmade/stageTimestamp_year1";
    if (line.accepted) assert.equal(event?.timeNs, zero ? undefined : line.timestamp_ns, line.name);
  }
});

test("a different time: without stageTimestamp the event's timestamp counts, else when its request came", () => {
  const timed = (times: object) => splitPayload(auditEvent({ stageTimestamp: undefined, ...times }), limits);
  const [timestamp, requestReceivedTimestamp] = ["2018-10-20T00:18:28Z", "2018-10-20T00:18:29.5Z"];
  assert.equal(timed({ timestamp, requestReceivedTimestamp }).events[0]?.timeNs, "1539994708000000000");
  assert.equal(timed({ requestReceivedTimestamp }).events[0]?.timeNs, "1539994709500000000");
  assert.deepEqual(timed({ requestReceivedTimestamp: "noon" }).dropped, [
    { index: 0, reason: "bad_time", message: "requestReceivedTimestamp is not an RFC 3339 time", auditID: "id-1" },
  ]);
  assert.equal(timed({}).dropped[0]?.reason, "no_time");
  const recorded = [...golden("split"), ...golden("extract")].filter(({ name }) => otherTime.has(name));
  assert.deepEqual(
    recorded.map((line) => splitPayload(line.event ?? inputOf(line), limits).events.length),
    [1, 1],
  );
});

test("one bad event is dropped alone and named, its neighbours stay", () => {
  const text = `[${auditEvent({}, "a")},{"kind":"Pod"},${auditEvent({ stageTimestamp: "x" }, "b")},${auditEvent({}, "c")}]`;
  const { events, dropped } = splitPayload(text, limits);
  assert.deepEqual(
    events.map((e) => JSON.parse(e.text).auditID),
    ["a", "c"],
  );
  assert.deepEqual(
    dropped.map(({ index, reason, auditID }) => [index, reason, auditID]),
    [
      [1, "not_an_event", undefined],
      [2, "bad_time", "b"],
    ],
  );
});

test("bytes are counted, not characters, and the limit itself passes", () => {
  const text = auditEvent({ userAgent: "ü€" });
  const bytes = Buffer.byteLength(text);
  assert.equal(splitPayload(text, { maxEventBytes: bytes }).events.length, 1);
  const [dropped] = splitPayload(text, { maxEventBytes: bytes - 1 }).dropped;
  assert.equal(dropped?.reason, "too_large");
});

test("GKE log entries become the recorded audit events or are refused", () => {
  for (const line of golden("gke_convert")) {
    if (line.event_json === undefined) assert.throws(() => gkeEvent(line.log_entry), { name: "ConvertError" });
    else assert.equal(gkeEvent(line.log_entry).text, line.event_json);
    if (line.timestamp_ns !== undefined && line.event_json !== undefined)
      assert.equal(gkeEvent(line.log_entry).timeNs, line.timestamp_ns);
  }
});

test("Event Hub bodies of AKS hold the recorded events", () => {
  for (const line of golden("aks_envelope")) {
    if (line.unmarshal_error !== undefined) {
      assert.throws(() => aksLogs(line.event_hub_body), { name: "ConvertError" }, line.name);
      continue;
    }
    const records: { events: number; silently_skipped_by_strict_validator?: boolean }[] = line.records ?? [];
    const wanted = records.reduce((sum, r) => sum + (r.silently_skipped_by_strict_validator ? 0 : r.events), 0);
    const found = aksLogs(line.event_hub_body).flatMap((log) => splitPayload(log, limits).events);
    assert.equal(found.length, wanted, line.name);
  }
});

test("frames of OVHcloud hold the recorded number of events", () => {
  for (const line of golden("ovh_frames")) {
    const count = (): number => splitPayload(ovhPayload(line.frame), limits).events.length;
    if (line.events_emitted > 0) assert.equal(count(), line.events_emitted, line.name);
    else {
      let found = 0;
      try {
        found = count();
      } catch (error) {
        assert.equal((error as Error).name, "ConvertError", line.name);
      }
      assert.equal(found, 0, line.name);
    }
  }
});
