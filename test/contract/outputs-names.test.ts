import assert from "node:assert/strict";
import { describe, it } from "node:test";
import alertmanager from "../../outputs/alertmanager.ts";
import { document } from "../../outputs/elasticsearch/document.ts";
import influxdb from "../../outputs/influxdb.ts";
import loki from "../../outputs/loki/index.ts";
import opsgenie from "../../outputs/opsgenie.ts";
import { anyNameTest, nameTest } from "../../src/sdk/glob.ts";
import type { HttpOutput } from "../../src/sdk/output.ts";
import { hostileAlerts, sampleAlert } from "../support/hostile-alerts.ts";
import { context, send } from "../support/output-sends.ts";
import { configOf } from "../support/senders.ts";

/** Names that come out equal where a destination takes fewer characters; the last one needs no change. */
const alike = { "a b": "1", "a.b": "2", "a-b": "3", a_b: "4" };
const alert = sampleAlert({
  output_fields: { ...alike, source: "own", rule: "own" },
  added: [...Object.keys(alike), "source"],
});

interface Made {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
const madeBy = async (of = alert, settings: object = {}): Promise<Made> => {
  const { received } = await send(
    alertmanager,
    (url) => ({ hostport: [url], ...settings }),
    [of],
    () => ({ status: 200 }),
  );
  return (JSON.parse(received[0]!.body) as [Made])[0];
};
const bodyOf = (output: HttpOutput, settings: Readonly<Record<string, unknown>>): string =>
  String(output.request([alert], configOf(output, settings), context).body);
/** Each of the four values once, that of `a_b` under its own name. */
const holdsAll = (found: Readonly<Record<string, unknown>>) => {
  const four = Object.entries(found).filter(([name]) => /^a_?b?(_\d)?$/.test(name));
  assert.deepEqual(four.map(([, value]) => value).toSorted(), ["1", "2", "3", "4"]);
  assert.equal(found.a_b, "4");
};

describe("names of fields that come out equal are told apart", () => {
  it("in Alertmanager, also from its own labels", async () => {
    const { labels } = await madeBy();
    holdsAll(labels);
    assert.deepEqual([labels.source, labels.source_2, labels.rule_2], ["falco", "own", "own"]);
  });

  it("in Loki", () => {
    const { streams } = JSON.parse(bodyOf(loki as HttpOutput, { hostport: "http://127.0.0.1:1" })) as {
      streams: [{ stream: Record<string, string> }];
    };
    holdsAll(streams[0].stream);
    assert.deepEqual([streams[0].stream.source, streams[0].stream.source_2], ["syscall", "own"]);
  });

  it("in Opsgenie", () => {
    const { details } = JSON.parse(bodyOf(opsgenie as HttpOutput, { apikey: "k" })) as {
      details: Record<string, string>;
    };
    assert.deepEqual([details.a_b, details.a_b_2, details.source, details.source_2], ["4", "2", "syscall", "own"]);
  });

  it("in InfluxDB", () => {
    const line = bodyOf(influxdb as HttpOutput, { hostport: "http://127.0.0.1:1" });
    for (const tag of ["a_b=4", "a_b_2=1", "a.b=2", "a-b=3", "source_2=own"]) assert.ok(line.includes(`,${tag}`), tag);
  });

  it("in flattened documents of Elasticsearch", () => {
    const { output_fields } = JSON.parse(document(alert, true)) as { output_fields: Record<string, string> };
    assert.deepEqual([output_fields.a_b, output_fields.a_b_2], ["4", "2"]);
  });
});

describe("labels of Alertmanager", () => {
  for (const [field, label] of [
    ["1st", "_1st"],
    ["proc.aname[2]", "proc_aname_2"],
    ["__x__", "x"],
    ["日本", "_"],
    ["", "_"],
    ["9", "_9"],
  ] as const)
    it(`are named as it takes them: ${JSON.stringify(field)} is ${label}`, async () => {
      const { labels } = await madeBy(sampleAlert({ output_fields: { [field]: "v" } }));
      assert.equal(labels[label], "v");
    });

  it("begin with a letter or _ whatever the alert", async () => {
    for (const hostile of Object.values(hostileAlerts)) {
      const { labels } = await madeBy(hostile);
      for (const name of Object.keys(labels)) assert.match(name, /^[A-Za-z_][A-Za-z0-9_]*$/);
    }
  });

  it("leave out fields that are to be annotations, so that alerts group", async () => {
    const at = (time: number, pid: number) =>
      sampleAlert({ output_fields: { "evt.time": time, "proc.pid": pid, "proc.name": "sh", info: "x" } });
    const settings = { annotatedfields: ["evt.time", "proc.p*", "info"] };
    const [first, second] = [await madeBy(at(1, 2), settings), await madeBy(at(3, 4), settings)];
    assert.deepEqual(first.labels, second.labels);
    assert.equal(first.labels.proc_name, "sh");
    assert.deepEqual(
      [first.annotations.evt_time, first.annotations.proc_pid, first.annotations.info_2],
      ["1", "2", "x"],
    );
    assert.equal(first.annotations.info, sampleAlert().output);
  });
});

describe("patterns of names", () => {
  for (const [pattern, name, fits] of [
    ["*", "", true],
    ["", "", true],
    ["a*", "a", true],
    ["*a", "ba", true],
    ["a*c*e", "abcde", true],
    ["a*c*e", "abcd", false],
    ["a?c", "a😀c", true],
    ["a?c", "ac", false],
    ["**b**", "abc", true],
    ["a.c", "abc", false],
    ["*aab", "aaaab", true],
    ["*x", "ab\nx", true],
    ["A", "a", false],
  ] as const)
    it(`${pattern} ${fits ? "fits" : "does not fit"} ${JSON.stringify(name)}`, () => {
      assert.equal(nameTest(pattern)(name), fits);
      assert.equal(anyNameTest(["-", pattern])(name), fits);
    });
});
