import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { auditFields } from "../../../../src/audit/catalog.ts";
import { makeAlertSettings } from "../../../../src/pipeline/alert-in.ts";
import { createChunkJudge } from "../../../../src/pipeline/judge/chunk-judge.ts";
import { loadEventRules } from "../../../../src/pipeline/judge/event-rules.ts";
import { defaultRuleConfig } from "../../../../src/rules/file/config.ts";
import type { Alert } from "../../../../src/sdk/alert.ts";
import type { KubeView } from "../../../../src/sdk/kubernetes.ts";
import { rule } from "../../../support/rules-command.ts";
import { auditEvent } from "../../audit/support.ts";

test("what cannot be added to an alert costs no alert, and is said", () => {
  const kind = { catalog: auditFields, plugin: "k8saudit", plugins: [] };
  const options = { config: defaultRuleConfig, hostname: "h", kinds: [kind] };
  const rules = loadEventRules([{ name: "r", text: rule("r", "ka.verb = get") }], options);
  const keys = { customfields: {}, customtags: [], templatedfields: {}, bracketreplacer: "", outputfieldformat: "" };
  const { settings } = makeAlertSettings(keys, () => "u");
  const lines: string[] = [];
  const counted = { judged: 0, notJudged: 0 };
  const judgeWith = (added: (alert: Alert, view: KubeView) => Alert) =>
    createChunkJudge({
      log: pino({}, { write: (line: string) => void lines.push(line) }),
      counts: {
        judged: (alerts) => {
          counted.judged += alerts.length;
        },
        notJudged: () => {
          counted.notJudged++;
        },
      },
      settings,
      added,
    });
  const lookup = () => ({}) as KubeView;
  const text = auditEvent({ verb: "get", objectRef: { resource: "pods", name: "p" } });
  const events = [{ source: "k8s_audit", text, lookup }];
  const chunk = { id: "c", at: 0 };
  const marked = judgeWith((alert) => ({ ...alert, hostname: "known" }))(rules, events, chunk);
  assert.deepEqual(
    marked.map(({ hostname }) => hostname),
    ["known"],
  );
  const broken = judgeWith(() => {
    throw new TypeError("no");
  })(rules, events, chunk);
  assert.deepEqual(
    broken.map(({ rule: name }) => name),
    ["r"],
  );
  assert.deepEqual(counted, { judged: 2, notJudged: 0 });
  assert.match(lines.join(), /an alert was not enriched/);
});
