/** A Falco alert as Falco's http_output posts it; `n` stands in the rule's output and fields so that it can be told apart. */
export const falcoAlert = (n: number, over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  uuid: `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
  output: `12:00:00.000000000: Warning A shell was opened in a container (alert-${n}- user=root)`,
  priority: "Warning",
  rule: "Terminal shell in container",
  source: "syscall",
  hostname: `node-${n % 16}`,
  tags: ["container", "mitre_execution"],
  time: "2026-11-20T12:00:00.123456789Z",
  output_fields: { "evt.time": 1795176000000000, "proc.name": "sh", "user.name": "root", "proc.pid": n },
  ...over,
});

/** The numbers of the alerts that a delivered text mentions. */
export const alertNumbers = (text: string): number[] => [...text.matchAll(/alert-(\d+)-/g)].map((m) => Number(m[1]));
