import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { splitPayload } from "../src/audit/payload.ts";

/** The events of a recorded kube-apiserver (test/golden/k8saudit/kube-posts) as lines of an audit log, where each says its kind. */
export const recordedLines = (): readonly string[] =>
  gunzipSync(readFileSync(join(import.meta.dirname, "../test/golden/k8saudit/kube-posts.jsonl.gz")))
    .toString()
    .trimEnd()
    .split("\n")
    .flatMap((line) => splitPayload((JSON.parse(line) as { body: string }).body, { maxEventBytes: 1 << 30 }).events)
    .map(({ text }) => Buffer.from(`{"kind":"Event","apiVersion":"audit.k8s.io/v1",${text.slice(1)}`).toString());
