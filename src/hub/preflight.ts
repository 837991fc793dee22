import { listenersOf, type PlannedListener } from "../config/listeners.ts";
import type { HubConfig, Problem } from "../config/types.ts";
import { portFaults } from "../http/port-faults.ts";
import { extraLabels } from "../metrics/event-series.ts";
import { type LoadedRules, loadHubRules } from "../pipeline/judge/load-rules.ts";
import { dataFolderFault, lockFault } from "../queue/folder-faults.ts";
import { localFolder } from "../queue/open.ts";
import { queueSettingsOf } from "./queue.ts";

export interface Preflight {
  readonly rules: LoadedRules;
  readonly listeners: readonly PlannedListener[];
  /** What the start would stumble over, the rules' own problems among it. */
  readonly problems: readonly Problem[];
}

/**
 * Looks at what a configuration needs beside itself: rules files, ports, the data folder. The start and check-config both
 * ask here. `running`: a hub of this configuration is up, and has its ports and its folder.
 */
export const preflight = async (config: HubConfig, running = false): Promise<Preflight> => {
  const rules = config.role === "intake" ? { files: [], problems: [] } : loadHubRules(config);
  const listeners = listenersOf(config);
  const folder = dataProblem(dataFolderFault(config.datadir));
  const taken = running
    ? []
    : [...(await portFaults(listeners)), ...dataProblem(lockFault(localFolder(queueSettingsOf(config))))];
  return { rules, listeners, problems: [...rules.problems, ...labelFaults(config), ...folder, ...taken] };
};

/** Fields that cannot be a label of the events metric. */
const labelFaults = ({ customfields, templatedfields, metrics }: HubConfig): readonly Problem[] =>
  extraLabels({
    customfields: Object.keys(customfields),
    templatedfields: Object.keys(templatedfields),
    extralabels: metrics.extralabels,
  }).refused.map((field) => ({
    severity: "warning",
    key:
      field in customfields ? "customfields" : field in templatedfields ? "templatedfields" : "prometheus.extralabels",
    message: `"${field}" cannot be a label of the metrics, names of output fields can; it is left out there`,
  }));

const dataProblem = (fault: string | undefined): readonly Problem[] =>
  fault === undefined ? [] : [{ severity: "error", key: "datadir", message: fault }];
