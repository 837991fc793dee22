import assert from "node:assert/strict";
import test from "node:test";
import { textAlert } from "../../../src/rules/index.ts";
import {
  changed,
  type Evasion,
  evasions,
  fired,
  loadPack,
  openLine,
  openObject,
  recordedLog,
} from "../../support/rules-pack.ts";

/** The people of the recording are no strangers here, so that what they did is what is told of them. */
const known = `- list: allowed_k8s_users
  items: [alice@example.com, mallory]
  override: {items: append}
`;

const alertsOf = (line: string): readonly string[] => {
  const pack = loadPack({ overrides: known });
  const event = openLine(line);
  const facts = { timeNs: event.timeNs, offsetMinutes: 0, hostname: "" };
  return pack.match("k8s_audit", event).map((rule) => textAlert(rule, event, facts, pack.config));
};

/** Plain records of activity are no alarm. */
const alarming = (names: readonly string[]): readonly string[] => {
  const pack = loadPack({ overrides: known });
  const priorities = new Map(pack.defined.map(({ item }) => [item.name, item.priority]));
  return names.filter((name) => priorities.get(name) !== "Informational");
};

const firstOf = (event: Parameters<typeof fired>[1]) => fired(loadPack({ overrides: known }), event);
const allOf = (event: Parameters<typeof fired>[1]) => fired(loadPack({ overrides: known, matching: "all" }), event);

const title = ({ case: name, what, expected }: Evasion): string => `${name}, ${what}: ${expected}`;

for (const [index, evasion] of evasions().entries())
  test(`${index} ${title(evasion)}`, () => {
    const { rule, says, twin, because, event } = evasion;
    const found = firstOf(openLine(event));
    if (rule === null) assert.deepEqual(alarming(found), []);
    else {
      assert.deepEqual(found, [rule]);
      assert.ok(says !== undefined && alertsOf(event)[0]?.includes(says), alertsOf(event)[0]);
    }
    if (twin === undefined) return;
    const quiet = allOf(openObject(changed(JSON.parse(event), twin)));
    assert.deepEqual(alarming(quiet), [], `${because}`);
    if (rule !== null) assert.ok(!quiet.includes(rule), `${because}`);
  });

test("every expected alarm has its harmless twin", () => {
  const cases = evasions();
  assert.ok(cases.length > 50);
  for (const { rule, twin, because, case: name } of cases)
    assert.equal(rule !== null, twin !== undefined && because !== undefined, name);
});

const component = /"userAgent":"(?:kube-apiserver|kube-controller-manager|kube-scheduler|kubelet)\//;

test("a cluster that starts, idles and restarts its control plane raises no alert", () => {
  const pack = loadPack({ matching: "all" });
  const own = recordedLog().filter(({ text }) => component.test(text));
  assert.ok(own.length > 3000);
  // What the components do by themselves, and for what people ask of them.
  const loud = own.filter((event) => fired(pack, event).length > 0);
  assert.deepEqual(
    loud.map(({ text }) => text.slice(0, 200)),
    [],
  );
  const idle = recordedLog().filter(({ text }) => /"stageTimestamp":"2026-11-21T0(?:2:58|3:06|3:07)/.test(text));
  assert.ok(idle.length > 150);
  assert.deepEqual(
    idle.flatMap((event) => fired(pack, event)),
    [],
  );
});
