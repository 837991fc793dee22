import assert from "node:assert/strict";
import test from "node:test";
import {
  changed,
  evasions,
  fired,
  loadPack,
  openLine,
  openObject,
  packCases,
  recordedLog,
} from "../../support/rules-pack.ts";

/** Falco's priorities, the most severe first. */
const severity = ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"];

/** Tells only who it was: what he did comes first, however little it is. */
const whoAlone = "Disallowed K8s User";

const everything = () => [
  ...recordedLog(),
  ...evasions().map(({ event }) => openLine(event)),
  ...packCases.flatMap(({ fires, raw, but }) => [openObject(fires, raw), openObject(changed(fires, but), raw)]),
];

test("with rule_matching first no rule hides a more severe one, but the one that tells only who it was", () => {
  const first = loadPack();
  const all = loadPack({ matching: "all" });
  const rank = new Map(all.defined.map(({ item }) => [item.name, severity.indexOf(item.priority)]));
  assert.ok(![...rank.values()].includes(-1));
  const rankOf = (name: string): number => rank.get(name) ?? assert.fail(name);
  const hidden = new Set<string>();
  let several = 0;
  for (const event of everything()) {
    const [raised, ...others] = fired(all, event);
    assert.deepEqual(fired(first, event), raised === undefined ? [] : [raised]);
    if (raised === undefined) continue;
    if (others.length > 0) several++;
    for (const other of others)
      if (other !== whoAlone && rankOf(other) < rankOf(raised)) hidden.add(`${raised} hides ${other}`);
  }
  assert.deepEqual([...hidden], []);
  assert.ok(several > 500, String(several));
});

test("of an evasion that several rules see, none is more severe than the expected one", () => {
  const all = loadPack({ matching: "all" });
  const rank = new Map(all.defined.map(({ item }) => [item.name, severity.indexOf(item.priority)]));
  let several = 0;
  for (const { rule, event, case: name } of evasions()) {
    if (rule === null) continue;
    const others = fired(all, openLine(event)).filter((other) => other !== rule && other !== whoAlone);
    const worst = Math.min(...others.map((other) => rank.get(other) ?? assert.fail(other)));
    assert.ok((rank.get(rule) ?? assert.fail(rule)) <= worst, `${name}: ${rule} before ${others}`);
    if (others.length > 0) several++;
  }
  assert.ok(several > 10, String(several));
});

test("the rule that tells only who it was stands behind all that tell of a deed, before the record of activity", () => {
  const names = loadPack().defined.map(({ item }) => item.name);
  const at = names.indexOf(whoAlone);
  const alarms = loadPack().defined.filter(({ item }) => severity.indexOf(item.priority) <= severity.indexOf("Notice"));
  assert.equal(alarms.at(-1)?.item.name, whoAlone);
  assert.match(names[at + 1] ?? "", /^K8s .* Created$/);
});
